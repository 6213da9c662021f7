namespace Voice.VoiceAllocator;

/// <summary>A guild's slot on a node. <paramref name="Epoch"/> is higher than that of every earlier assignment of the same
/// guild, over all its slots and over restarts (design.md section 3.9).</summary>
/// <param name="Slot">"" for the guild's own region, else the region that a channel overrides with.</param>
/// <param name="Endpoint">host:port of the node's voice WebSocket.</param>
[GenerateSerializer, Immutable]
public sealed record Assignment(ulong Guild, string Slot, string NodeId, string Endpoint, string Region, long Epoch);
