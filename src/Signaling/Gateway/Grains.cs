using Voice.Protocol;
using Voice.Signaling.Gateway.Guilds;
using Voice.VoiceAllocator;

namespace Voice.Signaling.Gateway;

/// <summary>The grains that the gateway talks to, by id; tests put their own behind it.</summary>
/// <param name="Private">Private channels, by their id.</param>
/// <param name="Observe">Makes an observer reachable for grains; it lives as long as the observer does.</param>
/// <param name="Nodes">The voice nodes of the cluster.</param>
internal sealed record Grains(
    Func<Snowflake, IGuildGrain> Guild,
    Func<Snowflake, IUserGrain> User,
    Func<Snowflake, IPrivateChannelGrain> Private,
    Func<IGuildObserver, IGuildObserver> Observe,
    Func<Task<NodeStatus[]>> Nodes)
{
    /// <summary>This gateway process, by <see cref="GatewayProcesses.Own"/>; null: guilds need not know when it is gone.</summary>
    public string? Gateway { get; init; }

    public static Grains Of(IGrainFactory factory, GatewayProcesses processes) => new(
        id => factory.GetGrain<IGuildGrain>((long)id.Value),
        id => factory.GetGrain<IUserGrain>((long)id.Value),
        id => factory.GetGrain<IPrivateChannelGrain>((long)id.Value),
        factory.CreateObjectReference<IGuildObserver>,
        () => factory.GetGrain<IAllocatorGrain>(0).Nodes())
    {
        Gateway = processes.Own,
    };
}
