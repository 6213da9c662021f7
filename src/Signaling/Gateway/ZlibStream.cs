using System.IO.Compression;

namespace Voice.Signaling.Gateway;

/// <summary>`compress=zlib-stream` (protocol/gateway.md section 4): all messages of a connection in one zlib stream, each ended by a
/// sync flush (RFC 1951 section 3.2.4: an empty stored block, 00 00 FF FF), so that it can be read at once.</summary>
internal sealed class ZlibStream : IDisposable
{
    /// <summary>A buffer beyond this is not kept for shorter messages.</summary>
    private const int KeptBytes = 16 * 1024;

    private readonly MemoryStream _compressed = new();
    private readonly ZLibStream _zlib;

    public ZlibStream() => _zlib = new ZLibStream(_compressed, CompressionLevel.Fastest);

    /// <summary>What the buffer of the last message takes.</summary>
    public int Capacity => _compressed.Capacity;

    /// <summary>What to send for the message; good until the next call.</summary>
    public ReadOnlyMemory<byte> Compress(ReadOnlySpan<byte> message)
    {
        _compressed.SetLength(0);
        if (_compressed.Capacity > KeptBytes && message.Length < _compressed.Capacity / 4) _compressed.Capacity = 0;
        _zlib.Write(message);
        _zlib.Flush();
        return _compressed.GetBuffer().AsMemory(0, (int)_compressed.Length);
    }

    public void Dispose() => _zlib.Dispose();
}
