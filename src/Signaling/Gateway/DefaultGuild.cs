using Microsoft.Extensions.Hosting;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway;

/// <summary>The guild that a new installation starts with. Its id is always the same, so that it is made once however often and
/// by however many gateways it is asked for.</summary>
internal sealed class DefaultGuild(Grains grains, TimeProvider time) : IHostedService
{
    private static readonly DateTimeOffset Made = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static Snowflake Id { get; } = Snowflake.At(Made, 1);

    /// <summary>Nobody logs in as its owner: it is run with an administrator's token.</summary>
    private static readonly User Owner = new(Snowflake.At(Made, 2), "voice") { Bot = true };

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await Patience.For(time, async () =>
        {
            await grains.User(Owner.Id).Set(Owner);
            return await grains.Guild(Id).Create("Voice", Owner, ["Lounge", "Games", "Music"]); // null and nothing more if there is one
        });
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
