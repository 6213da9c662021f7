using System.Buffers;
using Voice.Protocol.Ogg;

namespace Voice.Tests.Protocol.Ogg;

/// <summary>Whole files in memory, read and written.</summary>
internal static class OggFiles
{
    /// <summary>tests/assets/README.md says how it was made.</summary>
    public static byte[] Tone { get; } = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "assets", "tone.opus"));

    public static byte[] Write(IEnumerable<byte[]> packets, uint serial = 1, byte channels = 2, params string[] comments)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new OggOpusWriter(output, serial, new OpusHead(channels), comments);
        foreach (var packet in packets) writer.TryWrite(packet);
        writer.Finish();
        return output.WrittenSpan.ToArray();
    }

    /// <param name="piece">Bytes given at a time.</param>
    public static (List<byte[]> Packets, OggOpusReader Reader) Read(ReadOnlySpan<byte> file, int piece = int.MaxValue)
    {
        var reader = new OggOpusReader();
        var packets = new List<byte[]>();
        while (true)
        {
            OggReadResult result;
            while ((result = reader.TryRead(out var packet)) == OggReadResult.Packet) packets.Add(packet.Data.ToArray());
            if (result != OggReadResult.NeedsMore) return (packets, reader);
            if (file.IsEmpty) reader.Complete();
            var now = file[..Math.Min(piece, file.Length)];
            reader.Append(now);
            file = file[now.Length..];
        }
    }

    /// <summary>Where each page of a faultless file begins.</summary>
    public static List<int> PageOffsets(ReadOnlySpan<byte> file)
    {
        var offsets = new List<int>();
        for (var at = 0; at < file.Length;)
        {
            offsets.Add(at);
            OggPage.TryParse(file[at..], out var page);
            at += page.Length;
        }
        return offsets;
    }
}
