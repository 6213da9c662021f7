using Voice.Protocol.Rtp;

namespace Voice.Protocol.Srtp;

/// <summary>Why a protected packet was refused, or that it was not.</summary>
public enum SrtpResult
{
    Ok = 0,

    /// <summary>Not an RTP or RTCP packet, too short, or RTCP that is not encrypted.</summary>
    Malformed,
    Replayed,

    /// <summary>Behind the replay window, or before the stream's first index.</summary>
    TooOld,
    AuthenticationFailed,

    /// <summary>A new SSRC beyond the receiver's bound.</summary>
    TooManyStreams,
}

/// <summary>What a receiver remembers of one SSRC. <see cref="ReplayWindow.Highest"/> is RTP's 48-bit index (rollover and sequence), or RTCP's.</summary>
public readonly record struct SrtpStreamState(uint Ssrc, ReplayWindow Window);

/// <summary>Unprotects what one peer sends: finds each packet's index, refuses replays, and remembers a packet only once it has
/// authenticated. Packets allocate nothing (a new stream may). One thread at a time.</summary>
/// <param name="context">Disposed with the receiver.</param>
/// <param name="maxStreams">Bound on remembered SSRCs, for RTP and for RTCP each.</param>
public sealed class SrtpReceiver(SrtpContext context, int maxStreams = SrtpReceiver.DefaultMaxStreams) : IDisposable
{
    public const int DefaultMaxStreams = 32;

    private readonly StreamTable rtp = new(maxStreams);
    private readonly StreamTable rtcp = new(maxStreams);

    public SrtpProfile Profile => context.Profile;

    /// <summary>For an RTP packet soon.</summary>
    /// <inheritdoc cref="Crypto.AesGcmCipher.Preload"/>
    public int Preload() => context.Preload() + rtp.States.Length;

    /// <summary>State of every RTP stream heard, for a checkpoint: each in one place for life. Valid until the next call.</summary>
    public ReadOnlySpan<SrtpStreamState> RtpStreams => rtp.States;

    /// <summary>State of every RTCP sender heard, for a checkpoint: each in one place for life. Valid until the next call.</summary>
    public ReadOnlySpan<SrtpStreamState> RtcpStreams => rtcp.States;

    /// <summary>Place of the last RTP packet's stream that was taken.</summary>
    public int LastRtp => rtp.Last;

    /// <summary>Place of the last RTCP packet's sender that was taken.</summary>
    public int LastRtcp => rtcp.Last;

    /// <summary>Takes over what an earlier receiver with this key had learned, in place of what this one has.</summary>
    /// <exception cref="ArgumentException">More streams than the bound.</exception>
    public void Restore(ReadOnlySpan<SrtpStreamState> rtpStreams, ReadOnlySpan<SrtpStreamState> rtcpStreams)
    {
        rtp.Restore(rtpStreams);
        rtcp.Restore(rtcpStreams);
    }

    /// <summary>Unprotects an RTP packet.</summary>
    /// <param name="plain">Gets the plain packet, header included; at least as long as the datagram. May be the datagram itself. Undefined on refusal.</param>
    /// <param name="index">The packet's 48-bit index.</param>
    public SrtpResult TryUnprotect(ReadOnlySpan<byte> datagram, Span<byte> plain, out int length, out ulong index)
    {
        (length, index) = (0, 0);
        if (!RtpPacket.TryParse(datagram, out var packet) || datagram.Length < packet.HeaderLength + Profile.TagLength) return SrtpResult.Malformed;

        var (ssrc, sequence, headerLength) = (packet.Ssrc, packet.SequenceNumber, packet.HeaderLength);
        if (!rtp.TryFind(ssrc, out var window)) return SrtpResult.TooManyStreams;
        if (window.IsEmpty) index = sequence;
        else if (!Rollover.TryGuess(window.Highest, sequence, out index)) return SrtpResult.TooOld;

        var refusal = Refusal(window.Check(index));
        if (refusal != SrtpResult.Ok) return refusal;
        if (!context.TryUnprotect(datagram, headerLength, index, plain, out length)) return SrtpResult.AuthenticationFailed;

        rtp.Commit(ssrc, index);
        return SrtpResult.Ok;
    }

    /// <summary>Whether an RTP packet is authentic, whatever the replay window says of it. Remembers nothing; for whoever looks for reused
    /// indexes, so the rollover before the likeliest is tried too.</summary>
    /// <param name="plain">As for <see cref="TryUnprotect"/>.</param>
    public bool TryAuthenticate(ReadOnlySpan<byte> datagram, Span<byte> plain, out int length, out ulong index)
    {
        (length, index) = (0, 0);
        if (!RtpPacket.TryParse(datagram, out var packet) || datagram.Length < packet.HeaderLength + Profile.TagLength) return false;
        var headerLength = packet.HeaderLength;
        if (!rtp.TryFind(packet.Ssrc, out var window) || window.IsEmpty || !Rollover.TryGuess(window.Highest, packet.SequenceNumber, out index)) return false;
        if (context.TryUnprotect(datagram, headerLength, index, plain, out length)) return true;
        if (index <= ushort.MaxValue) return false;
        index -= ushort.MaxValue + 1;
        return context.TryUnprotect(datagram, headerLength, index, plain, out length);
    }

    /// <summary>The same for a compound RTCP packet.</summary>
    /// <param name="sender">SSRC of the packet's sender.</param>
    public bool TryAuthenticateRtcp(ReadOnlySpan<byte> datagram, Span<byte> plain, out uint sender, out uint index) =>
        context.TryReadRtcpIndex(datagram, out sender, out index) && context.TryUnprotectRtcp(datagram, plain, out _);

    /// <summary>Unprotects a compound RTCP packet.</summary>
    /// <param name="plain">As for <see cref="TryUnprotect"/>.</param>
    public SrtpResult TryUnprotectRtcp(ReadOnlySpan<byte> datagram, Span<byte> plain, out int length)
    {
        length = 0;
        if (!context.TryReadRtcpIndex(datagram, out var ssrc, out var index)) return SrtpResult.Malformed;
        if (!rtcp.TryFind(ssrc, out var window)) return SrtpResult.TooManyStreams;

        var refusal = Refusal(window.Check(index));
        if (refusal != SrtpResult.Ok) return refusal;
        if (!context.TryUnprotectRtcp(datagram, plain, out length)) return SrtpResult.AuthenticationFailed;

        rtcp.Commit(ssrc, index);
        return SrtpResult.Ok;
    }

    public void Dispose() => context.Dispose();

    private static SrtpResult Refusal(ReplayVerdict verdict) => verdict switch
    {
        ReplayVerdict.Fresh => SrtpResult.Ok,
        ReplayVerdict.Replayed => SrtpResult.Replayed,
        _ => SrtpResult.TooOld,
    };

    /// <summary>A few streams, found by scanning: a client has one or two.</summary>
    private sealed class StreamTable(int max)
    {
        private SrtpStreamState[] states = new SrtpStreamState[Math.Min(2, max)];
        private int count;

        public ReadOnlySpan<SrtpStreamState> States => states.AsSpan(0, count);

        public int Last { get; private set; }

        /// <summary>Read only. An unknown stream has an empty window, unless there is no room for it.</summary>
        public bool TryFind(uint ssrc, out ReplayWindow window)
        {
            var i = IndexOf(ssrc);
            window = i < 0 ? default : states[i].Window;
            return i >= 0 || count < max;
        }

        public void Commit(uint ssrc, ulong index)
        {
            var i = IndexOf(ssrc);
            if (i < 0)
            {
                if (count == states.Length) Array.Resize(ref states, Math.Min(count * 2, max));
                states[i = count++] = new SrtpStreamState(ssrc, default);
            }
            var window = states[i].Window;
            window.Commit(index);
            states[i] = states[i] with { Window = window };
            Last = i;
        }

        public void Restore(ReadOnlySpan<SrtpStreamState> source)
        {
            if (source.Length > max) throw new ArgumentException("More streams than the receiver's bound.", nameof(source));
            states = new SrtpStreamState[Math.Max(source.Length, Math.Min(2, max))];
            source.CopyTo(states);
            count = source.Length;
        }

        private int IndexOf(uint ssrc)
        {
            for (var i = 0; i < count; i++)
            {
                if (states[i].Ssrc == ssrc) return i;
            }
            return -1;
        }
    }
}
