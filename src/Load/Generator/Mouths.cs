using System.Diagnostics;
using System.Text;
using Voice.Load.Linux;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Ogg;
using Voice.Protocol.Rtp;
using Voice.Protocol.Stun;

namespace Voice.Load.Generator;

/// <summary>Everything that participants send. One thread.</summary>
internal sealed unsafe class Mouths
{
    /// <summary>Between two signs of life of one participant: ICE consent checks (RFC 7675), or Discord's keepalives.</summary>
    public const long KeepaliveNanoseconds = 5_000_000_000;

    public const byte WebRtcOpus = 111; // as Chromium numbers it
    public const byte NativeOpus = 120;
    public const byte AudioLevelExtension = 1;

    private const byte SpeakingLevel = 0x80 | 30; // RFC 6464: voice activity, -30 dBov
    private const long LateNanoseconds = Talker.FrameNanoseconds / 2;

    private readonly Payloads payloads;
    private readonly byte[] payload;
    private readonly byte[] header = new byte[RtpHeader.MaxLength];
    private readonly byte[] datagram;
    private readonly Random random = new();

    public Mouths(Payloads payloads)
    {
        this.payloads = payloads;
        payload = new byte[payloads.MaxLength];
        datagram = GC.AllocateUninitializedArray<byte>(RtpHeader.MaxLength + payloads.MaxLength + PacketKeys.MaxOverhead + 256, pinned: true);
    }

    /// <summary>Participants whom the server no longer answers.</summary>
    public int Lost { get; private set; }

    /// <summary>A talker's next packet.</summary>
    public void Say(Talker talker, long due, Tally tally)
    {
        var now = LoadGenerator.Now;
        var late = now - due;
        tally.Lateness[LogLinear.Bucket(late / 1000)]++;
        if (late > LateNanoseconds) tally.SentLate++;
        var level = talker.Microphone?.Next(talker.Sent, now) ?? SpeakingLevel;
        var length = payloads.Write(payload, talker.Owner.Number, talker.Sent, now);
        if (!Send(talker, payload.AsSpan(0, length), due, talker.Pauses, level)) tally.SendFailed++;
        talker.Pauses = false;
        talker.Sent++;
    }

    /// <summary>A frame of silence, which tells the server where a native client is. By its timestamp it is said before what a talker says: the server
    /// takes what goes back in time for recorded.</summary>
    public void SayNothing(Participant participant, long now)
    {
        var headerLength = RtpHeader.Write(header, marker: false, NativeOpus, 0, TimestampAt(now), participant.Ssrc);
        _ = Send(participant, participant.Keys!.Protect(header.AsSpan(0, headerLength), OpusToc.SilenceFrame, 0, datagram));
    }

    /// <summary>Sends a check when one is due; true once one was answered.</summary>
    public bool IsReached(Participant participant)
    {
        var ice = participant.Ice!;
        if (ice.IsConnected)
        {
            participant.Reached.TrySetResult();
            return true;
        }

        var now = Stopwatch.GetElapsedTime(0);
        if (ice.IsLost(now))
        {
            participant.Reached.TrySetException(new LoadException("a participant's connectivity checks are not answered"));
            return true;
        }

        if (ice.NextCheck <= now) _ = Send(participant, ice.WriteCheck(datagram, now, 0.5));
        return false;
    }

    public void KeepAlive(Participant participant)
    {
        if (participant.Keys is null) return;
        if (participant.Ice is { } ice)
        {
            var now = Stopwatch.GetElapsedTime(0);
            if (ice.IsLost(now)) Lost++;
            _ = Send(participant, ice.WriteCheck(datagram, now, random.NextDouble()));
        }
        else
        {
            _ = Send(participant, Keepalive.Write(datagram, participant.Keepalives++));
        }
    }

    /// <summary>What a server that is no lite agent asks of us (RFC 8445 section 7.3).</summary>
    public void Answer(Participant participant, in StunMessage check)
    {
        if (participant.Credentials is not { } credentials) return;
        var writer = new StunWriter(datagram, StunClass.SuccessResponse, StunMethod.Binding, check.TransactionId);
        writer.AddXorMappedAddress(participant.Server.Address.GetAddressBytes(), (ushort)participant.Server.Port);
        writer.AddMessageIntegrity(Encoding.ASCII.GetBytes(credentials.LocalPassword));
        writer.AddFingerprint();
        _ = Send(participant, writer.Length);
    }

    private static uint TimestampAt(long nanoseconds) => (uint)(nanoseconds / 1_000_000 * (OpusToc.SampleRate / 1000));

    private bool Send(Talker talker, ReadOnlySpan<byte> opus, long due, bool marker, byte level)
    {
        var owner = talker.Owner;
        var index = talker.FirstIndex + talker.Sent;
        var native = owner.Credentials is null;
        var headerLength = RtpHeader.Write(
            header, marker, native ? NativeOpus : WebRtcOpus, (ushort)index, TimestampAt(due), owner.Ssrc, AudioLevelExtension, level);
        return Send(owner, owner.Keys!.Protect(header.AsSpan(0, headerLength), opus, index, datagram));
    }

    private bool Send(Participant participant, int length)
    {
        fixed (byte* bytes = datagram) return Libc.send(participant.Descriptor, bytes, length, Libc.DontWait) == length;
    }
}
