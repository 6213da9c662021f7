using Voice.Protocol.Links;

namespace Voice.Media;

// What workers are told beyond the media link's changes, so that a track reaches listeners on another worker. WorkerPlan makes
// these of the link's; they never cross it.

/// <summary>To the listeners' worker: it has listeners of another worker's track.</summary>
/// <param name="Relay">Names what comes for it in the ring, and nothing else ever. A later put may give the shadow another one, and say
/// anew whether it is heard first.</param>
/// <param name="Put">The track's.</param>
internal sealed record PutShadow(uint Relay, PutTrack Put) : MediaChange;

internal sealed record DropShadow(uint Track) : MediaChange;

/// <summary>To the track's worker: its packets go to another worker too.</summary>
internal sealed record PutRelay(uint Relay, uint Track, int Worker) : MediaChange;

internal sealed record DropRelay(uint Track, int Worker) : MediaChange;
