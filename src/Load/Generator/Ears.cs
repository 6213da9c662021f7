using System.Diagnostics;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;
using Voice.Protocol.Stun;

namespace Voice.Load.Generator;

/// <summary>Everything that participants receive: decrypted, and compared with what was sent. One thread.</summary>
/// <param name="participants">By their numbers.</param>
internal sealed class Ears(Payloads payloads, IReadOnlyList<Participant> participants, Mouths mouths)
{
    /// <summary>First byte of what the floor's loop sends: nothing that the server speaks (RFC 7983).</summary>
    public const byte FloorMark = 0xFF;

    /// <summary>What the floor's loop sent.</summary>
    public long FloorPackets { get; private set; }

    /// <summary>Packets of talkers, each once.</summary>
    public long Audio { get; private set; }

    /// <param name="datagram">Decrypted in place.</param>
    /// <param name="now">Nanoseconds.</param>
    public void Hear(Participant participant, Span<byte> datagram, long now, Tally tally)
    {
        switch (Demux.Classify(datagram))
        {
            case PacketKind.Rtp: HearRtp(participant, datagram, now, tally); break;
            case PacketKind.Rtcp: break; // reports, which browsers read for their statistics
            case PacketKind.Stun: HearStun(participant, datagram); break;
            case PacketKind.Dtls: participant.Inbox?.Deliver(datagram); break;
            case PacketKind.Keepalive: participant.Reached.TrySetResult(); break;
            case PacketKind.Unknown when datagram[0] == FloorMark: FloorPackets++; break;
            default: tally.Refused++; break;
        }
    }

    /// <summary>Answers to our checks, and checks of peers that are no lite agents.</summary>
    private void HearStun(Participant participant, ReadOnlySpan<byte> datagram)
    {
        if (!StunMessage.TryParse(datagram, out var message)) return;
        if (message.Class == StunClass.Request) mouths.Answer(participant, message);
        else participant.Ice?.TryTake(datagram, Stopwatch.GetElapsedTime(0));
    }

    private void HearRtp(Participant participant, Span<byte> datagram, long now, Tally tally)
    {
        if (participant.Keys is not { } keys) return;
        switch (keys.TryUnprotect(datagram, out var length))
        {
            case SrtpResult.Ok: break;
            case SrtpResult.Replayed: tally.Duplicates++; return;
            default: tally.Refused++; return;
        }

        if (!RtpPacket.TryParse(datagram[..length], out var packet))
        {
            tally.Refused++;
            return;
        }

        if (packet.Payload.Length < Payloads.MinLength) // silence
        {
            if (TalkerOf(Participant.NumberOf(packet.Ssrc), participant) is { } silent) participant.Hearing?.Hear(silent.Slot, packet.SequenceNumber, null, now);
            return;
        }

        if (!payloads.TryRead(packet.Payload, out var number, out var stamp, out var sent) || TalkerOf(number, participant) is not { } talker)
        {
            tally.Wrong++;
            return;
        }

        ref var heard = ref participant.Heard[talker.Slot];
        switch (heard.Check(stamp))
        {
            case ReplayVerdict.Replayed: tally.Duplicates++; return;
            case ReplayVerdict.TooOld: tally.Reordered++; return;
        }

        Audio++;
        participant.Hearing?.Hear(talker.Slot, packet.SequenceNumber, stamp, now);
        if (heard.IsEmpty) participant.FirstAudio.TrySetResult(now);
        else if (stamp < heard.Highest) tally.Reordered++;
        heard.Commit(stamp);
        if (!talker.Counts(stamp)) return;
        tally.Received++;
        tally.EndToEnd[LogLinear.Bucket((now - sent) / 1000)]++;
    }

    /// <summary>Null: nobody whom this participant may hear.</summary>
    private Talker? TalkerOf(int number, Participant listener)
    {
        if ((uint)number >= (uint)participants.Count) return null;
        var sender = participants[number];
        return sender.Room == listener.Room && sender != listener ? sender.Talker : null;
    }
}
