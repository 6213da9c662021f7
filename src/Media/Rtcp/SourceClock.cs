namespace Voice.Media.Rtcp;

/// <summary>What a talker's RTP clock reads, in the track's timestamps (<see cref="Track"/>), which go on when the source changes.</summary>
internal struct SourceClock(uint clockRate)
{
    private ulong newest;
    private uint lastTimestamp;
    private TimeSpan lastArrival;
    private uint reported;
    private TimeSpan reportArrival;
    private bool hasReport;

    /// <summary>Something was heard.</summary>
    public bool Any { get; private set; }

    /// <summary>By the sender's last report, or else by its last packet, which may have been late.</summary>
    public readonly uint At(TimeSpan now) => hasReport
        ? reported + NtpTime.ToRtp(now - reportArrival, clockRate)
        : lastTimestamp + NtpTime.ToRtp(now - lastArrival, clockRate);

    /// <summary>The timestamp of a packet that follows now: later than that of the last one.</summary>
    public readonly uint Following(TimeSpan now) => lastTimestamp + Math.Max(1, NtpTime.ToRtp(now - lastArrival, clockRate));

    public void Packet(ulong index, uint timestamp, TimeSpan arrival)
    {
        if (Any && index < newest) return;
        (newest, lastTimestamp, lastArrival, Any) = (index, timestamp, arrival, true);
    }

    public void Report(uint timestamp, TimeSpan arrival) => (reported, reportArrival, hasReport) = (timestamp, arrival, true);
}
