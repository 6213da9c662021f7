using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using MessagePack;

namespace Voice.Protocol.Links;

/// <summary>Messages in frames over a byte pipe: a 4-byte big-endian length, then one MessagePack value. Both links use it.
/// One reader and, by a gate, any number of writers. A frame over <see cref="MaxFrame"/> bytes or one that does not
/// parse ends the link with <see cref="InvalidDataException"/>.</summary>
/// <param name="pipe">The bytes; the caller closes what is under it.</param>
/// <param name="maxFrame">Largest frame taken or sent at first, in bytes.</param>
public sealed class LinkConnection<TSend, TReceive>(IDuplexPipe pipe, int maxFrame) : IDisposable
{
    /// <summary>A peer is never trusted with our memory or our stack: hash flooding and deep nesting are refused.</summary>
    private static readonly MessagePackSerializerOptions Options =
        MessagePackSerializerOptions.Standard.WithSecurity(MessagePackSecurity.UntrustedData);

    private readonly SemaphoreSlim writing = new(1, 1);

    /// <summary>Raise it once the peer has proved who it is: a stranger's frames need not be large.</summary>
    public int MaxFrame { get; set; } = maxFrame;

    public async ValueTask SendAsync(TSend message, CancellationToken cancel = default)
    {
        await writing.WaitAsync(cancel);
        try
        {
            // Cancelled half way it would throw something else than what cancellation throws, and a message takes no time.
            var body = MessagePackSerializer.Serialize(message, Options, CancellationToken.None);
            if (body.Length > MaxFrame) throw new InvalidDataException($"frame of {body.Length} bytes, at most {MaxFrame} allowed");
            BinaryPrimitives.WriteInt32BigEndian(pipe.Output.GetSpan(4), body.Length);
            pipe.Output.Advance(4);
            await pipe.Output.WriteAsync(body, cancel);
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>Every message until the peer ends the link. Enumerate once.</summary>
    public async IAsyncEnumerable<TReceive> ReceiveAsync([EnumeratorCancellation] CancellationToken cancel = default)
    {
        while (true)
        {
            var read = await pipe.Input.ReadAsync(cancel);
            var buffer = read.Buffer;
            while (TryReadFrame(ref buffer, out var frame)) yield return Parse(frame);
            pipe.Input.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted) yield break;
        }
    }

    public void Dispose() => writing.Dispose();

    private bool TryReadFrame(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> frame)
    {
        frame = default;
        var reader = new SequenceReader<byte>(buffer);
        if (!reader.TryReadBigEndian(out int length)) return false;
        if (length < 1 || length > MaxFrame) throw new InvalidDataException($"frame of {length} bytes, 1 to {MaxFrame} allowed");
        if (reader.Remaining < length) return false;
        frame = buffer.Slice(4, length);
        buffer = buffer.Slice(4 + length);
        return true;
    }

    private static TReceive Parse(ReadOnlySequence<byte> frame)
    {
        try
        {
            return MessagePackSerializer.Deserialize<TReceive>(frame, Options);
        }
        catch (MessagePackSerializationException e)
        {
            throw new InvalidDataException("frame does not parse", e);
        }
    }
}
