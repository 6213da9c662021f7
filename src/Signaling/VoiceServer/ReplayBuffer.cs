using Voice.Protocol.Voice;

namespace Voice.Signaling.VoiceServer;

/// <summary>The numbered messages of a session that its client has not confirmed (protocol/voice-gateway.md sections 2 and 4.6).
/// Numbers start at 1, since one library takes 0 for none, and wrap at 16 bits.</summary>
internal sealed class ReplayBuffer
{
    /// <summary>Messages kept, for any room and for each person in it: all of them may join at once, which is two messages each. A
    /// client that confirms nothing for longer than this lasts cannot resume.</summary>
    public const int Capacity = 512;
    public const int CapacityPerPerson = 4;

    private readonly Queue<byte[]> frames = new();
    private ushort last;
    private bool complete = true;

    /// <summary>The number before the oldest message kept.</summary>
    private ushort Floor => (ushort)(last - frames.Count);

    /// <summary>Numbers and keeps a message; returns it as it goes out.</summary>
    /// <param name="people">In the room.</param>
    public byte[] Add(ReadOnlySpan<byte> frame, int people)
    {
        var numbered = ServerFrame.Numbered(frame, ++last);
        frames.Enqueue(numbered);
        if (frames.Count > Capacity + CapacityPerPerson * people) Forget(frames.Count - Capacity - CapacityPerPerson * people);
        return numbered;
    }

    /// <summary>The client has everything up to this number. Numbers that were never sent are ignored.</summary>
    public void Confirm(int seq)
    {
        if (TryCount(seq, out var confirmed)) Forget(confirmed);
    }

    /// <summary>What came after <paramref name="seq"/> (-1 or null: everything); false if it is no longer all here.</summary>
    public bool TryReplay(int? seq, out IEnumerable<byte[]> missed)
    {
        missed = frames;
        if (seq is null or -1) return complete;
        if (!TryCount(seq.Value, out var had)) return false;
        missed = frames.Skip(had);
        return true;
    }

    private bool TryCount(int seq, out int count)
    {
        count = (ushort)(seq - Floor);
        return seq is >= 0 and <= ushort.MaxValue && count <= frames.Count;
    }

    private void Forget(int count)
    {
        for (var i = 0; i < count; i++) frames.Dequeue();
        complete &= count == 0;
    }
}
