using System.Buffers.Binary;
using Voice.Protocol.Ogg;
using static Voice.Fuzz.BrokenPromiseException;

namespace Voice.Fuzz;

internal sealed class OggOpusTarget : IFuzzTarget
{
    public void Run(ReadOnlySpan<byte> input)
    {
        Read(input);

        // A changed page ends at its checksum; with that put right, what is behind it is reached.
        var file = input.ToArray();
        for (var at = 0; at + OggPage.HeaderLength <= file.Length && at + OggPage.HeaderLength + file[at + 26] <= file.Length;)
        {
            var length = OggPage.HeaderLength + file[at + 26];
            foreach (var segment in file.AsSpan(at + OggPage.HeaderLength, file[at + 26])) length += segment;
            if (at + length > file.Length) break;
            var page = file.AsSpan(at, length);
            page.Slice(22, 4).Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(page[22..], Crc(page));
            at += length;
        }
        Read(file);
    }

    private static void Read(ReadOnlySpan<byte> input)
    {
        var reader = new OggOpusReader();
        var packets = 0;
        for (var rest = input; ; rest = rest[Math.Min(rest.Length, 100)..])
        {
            OggReadResult result;
            while ((result = reader.TryRead(out var packet)) == OggReadResult.Packet)
            {
                Unless(reader.Head is not null, "packets come after the header");
                Unless(packet.Samples is > 0 and <= OpusToc.MaxSamples && packet.Data.Length is > 0 and <= OggOpusReader.MaxPacketLength, "a packet of Opus");
                packets++;
            }
            Unless(packets <= input.Length, "a packet takes bytes");
            Unless(result == OggReadResult.Fault == reader.Fault is not null, "a fault, and what it is");
            if (reader.Fault is { } fault) Unless(fault.Offset >= 0 && fault.Offset <= input.Length, "a fault is in the file");
            if (result is OggReadResult.Fault or OggReadResult.End) return;
            if (rest.IsEmpty) reader.Complete();
            else reader.Append(rest[..Math.Min(rest.Length, 100)]);
        }
    }

    private static uint Crc(ReadOnlySpan<byte> page)
    {
        var crc = 0u;
        foreach (var b in page)
        {
            crc ^= (uint)b << 24;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 0x8000_0000) != 0 ? crc << 1 ^ 0x04C1_1DB7 : crc << 1;
        }
        return crc;
    }
}
