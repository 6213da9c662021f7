using Microsoft.Extensions.Time.Testing;
using Voice.Client;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Client;

/// <summary>Whether a native client's path still goes both ways. Sockets are real, time is not.</summary>
public sealed class UdpMediaPathTests : IAsyncLifetime
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    private readonly FakeTimeProvider time = new();
    private FakeVoiceService service = null!;
    private GatewayClient gateway = null!;
    private VoiceClient voice = null!;

    public async ValueTask InitializeAsync()
    {
        service = await FakeVoiceService.Start();
        gateway = await service.Connect();
        voice = await VoiceClient.JoinAsync(gateway, 500, 501, service.Options with { Time = time }, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await voice.DisposeAsync();
        await gateway.DisposeAsync();
        await service.DisposeAsync();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_path_that_loses_four_of_five_is_kept()
    {
        service.EchoEvery = 5;
        await PassUntil(() => service.Keepalives >= 15, TestContext.Current.CancellationToken);
        Assert.Equal(VoiceClientState.Connected, voice.State);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_path_that_loses_all_is_left_after_fifteen_seconds()
    {
        service.EchoEvery = int.MaxValue;
        var began = time.GetUtcNow();
        await PassUntil(() => voice.State != VoiceClientState.Connected, TestContext.Current.CancellationToken);
        Assert.True(time.GetUtcNow() - began >= TimeSpan.FromSeconds(15));
    }

    private async Task PassUntil(Func<bool> condition, CancellationToken cancel)
    {
        while (!condition())
        {
            time.Advance(Step);
            await Task.Delay(1, cancel); // what is due happens on other threads, and over sockets
        }
    }
}
