using Voice.Protocol.Rtp;
using static Voice.Fuzz.BrokenPromiseException;

namespace Voice.Fuzz;

internal sealed class RtpTarget : IFuzzTarget
{
    public void Run(ReadOnlySpan<byte> input)
    {
        if (!RtpPacket.TryParse(input, out var packet)) return;
        Unless(packet.HeaderLength is >= 12 && packet.Header.Length + packet.Payload.Length == input.Length, "header and payload are the packet");
        Unless(packet.PayloadType < 128 && packet.CsrcCount < 16, "fields are in range");
        Unless(packet.HasExtension || (packet.ExtensionProfile == 0 && packet.Extensions.IsEmpty), "no extension, nothing of it");
        foreach (var element in new RtpExtensions(packet.ExtensionProfile, packet.Extensions))
        {
            Unless(packet.Extensions.Overlaps(element.Data) || element.Data.IsEmpty, "an element lies in the extension");
        }
        if (packet.TryGetUnpadded(out var unpadded)) Unless(packet.Payload.StartsWith(unpadded), "padding is at the end");
    }
}
