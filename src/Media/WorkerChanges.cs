using Voice.Protocol.Links;

namespace Voice.Media;

// What workers are told beyond the media link's changes, so that a track reaches listeners on another worker. WorkerPlan makes
// these of the link's; they never cross it.

/// <summary>To the listeners' worker: it has listeners of another worker's track.</summary>
/// <param name="Relay">Names what comes for it in the ring. Never used again; a later put gives the shadow another one.</param>
internal sealed record PutShadow(uint Relay, uint Track, TrackKind Kind, uint ClockRate) : MediaChange;

internal sealed record DropShadow(uint Track) : MediaChange;

/// <summary>To the track's worker: its packets go to another worker too.</summary>
internal sealed record PutRelay(uint Relay, uint Track, int Worker) : MediaChange;

internal sealed record DropRelay(uint Track, int Worker) : MediaChange;
