using System.Runtime.CompilerServices;
using Voice.Protocol.Ogg;

namespace Voice.Client;

/// <summary>A file that is no Ogg Opus, is damaged or is cut off.</summary>
/// <param name="name">The file's, for people.</param>
public sealed class OpusFileException(string name, OggFault fault) : Exception($"{name}: {fault}")
{
    public OggFault Fault => fault;
}

/// <summary>Ogg Opus files as packets.</summary>
public static class OpusFile
{
    private const int PieceLength = 16 * 1024;

    /// <summary>Reads as far as it can: all packets before a fault are given.</summary>
    /// <param name="name">For the message of a fault.</param>
    /// <exception cref="OpusFileException">The first fault, after the packets before it.</exception>
    public static async IAsyncEnumerable<OpusPacket> ReadAsync(
        Stream stream, string name, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var reader = new OggOpusReader();
        var piece = new byte[PieceLength];
        while (true)
        {
            switch (reader.TryRead(out var packet))
            {
                case OggReadResult.Packet:
                    yield return packet;
                    break;
                case OggReadResult.NeedsMore:
                    var length = await stream.ReadAsync(piece, cancellation);
                    if (length == 0) reader.Complete();
                    else reader.Append(piece.AsSpan(0, length));
                    break;
                case OggReadResult.Fault: throw new OpusFileException(name, reader.Fault!);
                default: yield break;
            }
        }
    }
}
