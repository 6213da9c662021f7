using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Voice.Protocol;
using Voice.Protocol.Links;
using Voice.Protocol.Voice;

namespace Voice.Signaling.VoiceServer;

/// <summary>One participant's voice session: from Identify until it ends for good, over lost sockets.</summary>
/// <param name="token">What it was opened with.</param>
/// <param name="worker">That serves its media.</param>
internal sealed class VoiceSession(ServedGuild guild, VoiceMember member, string token, VoiceRoom room, int worker, uint ssrc, Outbox outbox)
{
    private readonly ReplayBuffer replay = new();

    public ServedGuild Guild => guild;

    public ulong User { get; } = member.User;

    public string Id { get; } = member.SessionId;

    public (ulong Guild, string Session) Key => (guild.Key.Guild, Id);

    public VoiceRoom Room => room;

    public int Worker => worker;

    /// <summary>First of the session's block: its audio, as everybody sees it.</summary>
    public uint Ssrc => ssrc;

    /// <summary>By its voice state.</summary>
    public VoiceFlags Flags { get; set; } = FlagsOf(member);

    /// <summary>By what its client says of itself.</summary>
    public SpeakingFlags Speaking { get; set; }

    /// <summary>To be heard whoever else talks: it may, and its client says that it does.</summary>
    public bool SpeaksFirst => Flags.HasFlag(VoiceFlags.PrioritySpeaker) && Speaking.HasFlag(SpeakingFlags.Priority);

    /// <summary>What the others were told of <see cref="Speaking"/>.</summary>
    public SpeakingFlags ToldSpeaking { get; set; }

    /// <summary>Each is a message to everybody in the room. Who talks changes a few times a second at most.</summary>
    public TokenBucket SpeakingChanges { get; } = new(burst: 10, perSecond: 3);

    /// <summary>Each is work for everybody in the room too.</summary>
    public TokenBucket Selections { get; } = new(burst: 10, perSecond: 0.5);

    /// <summary>The socket it talks through; null while severed.</summary>
    public long? Socket { get; private set; }

    /// <summary>While severed: when the session is given up.</summary>
    public TimeSpan GivenUpAt { get; private set; }

    /// <summary>The transport it has media on; null before Select Protocol and after its media ended.</summary>
    public uint? Transport { get; set; }

    /// <summary>It was told a session description, so it knows what to do with op 5.</summary>
    public bool Described { get; set; }

    public static VoiceFlags FlagsOf(VoiceMember member) =>
        (member.SelfMute ? VoiceFlags.SelfMute : VoiceFlags.None)
        | (member.Mute ? VoiceFlags.Mute : VoiceFlags.None)
        | (member.Suppress ? VoiceFlags.Suppress : VoiceFlags.None)
        | (member.SelfDeaf ? VoiceFlags.SelfDeaf : VoiceFlags.None)
        | (member.Deaf ? VoiceFlags.Deaf : VoiceFlags.None)
        | (member.PrioritySpeaker ? VoiceFlags.PrioritySpeaker : VoiceFlags.None);

    public bool IsOpenedBy(string shown) =>
        CryptographicOperations.FixedTimeEquals(MemoryMarshal.AsBytes(token.AsSpan()), MemoryMarshal.AsBytes(shown.AsSpan()));

    public void Attach(long socket) => Socket = socket;

    public void Sever(TimeSpan givenUpAt) => (Socket, GivenUpAt) = (null, givenUpAt);

    /// <summary>A message that a resumed client must get too: numbered, kept, sent if there is a socket.</summary>
    public void Send(ReadOnlySpan<byte> frame)
    {
        var numbered = replay.Add(frame, room.Sessions.Count);
        if (Socket is { } socket) outbox.Add(new SendFrame(socket, numbered));
    }

    /// <summary>A message that only makes sense on this socket: not numbered, not kept.</summary>
    public void SendOnce(byte[] frame)
    {
        if (Socket is { } socket) outbox.Add(new SendFrame(socket, frame));
    }

    public void Confirm(int seq) => replay.Confirm(seq);

    /// <summary>Continues on a new socket after <paramref name="seqAck"/>; false if what was missed is no longer all here.</summary>
    /// <param name="numbered">The client speaks version 8 or later; older ones are replayed nothing.</param>
    public bool TryResume(long socket, int? seqAck, bool numbered)
    {
        if (!replay.TryReplay(seqAck, out var missed) && numbered) return false;
        Attach(socket);
        SendOnce(ServerFrame.Resumed());
        if (numbered) foreach (var frame in missed) SendOnce(frame);
        return true;
    }

    public byte[] SpeakingFrame() => ServerFrame.Speaking(new UserSpeaking(new Snowflake(User), Ssrc, Speaking));
}
