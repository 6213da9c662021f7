namespace Voice.Load.Floor;

/// <summary>What one thread on the server's cores pays for a send that is nothing else.</summary>
/// <param name="Method">The cheapest: sendto, sendmmsg or send on connected sockets; and how its loop was built.</param>
/// <param name="All">Every method's microseconds.</param>
internal sealed record FloorResult(double MicrosecondsPerSend, string Method, IReadOnlyDictionary<string, double> All);
