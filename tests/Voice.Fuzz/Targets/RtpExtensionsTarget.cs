using System.Buffers.Binary;
using Voice.Protocol.Rtp;
using static Voice.Fuzz.BrokenPromiseException;

namespace Voice.Fuzz;

/// <summary>Input: two bytes of profile, then the body.</summary>
internal sealed class RtpExtensionsTarget : IFuzzTarget
{
    public void Run(ReadOnlySpan<byte> input)
    {
        if (!BinaryPrimitives.TryReadUInt16BigEndian(input, out var profile)) return;
        var body = input[2..];
        var total = 0;
        foreach (var element in new RtpExtensions(profile, body))
        {
            Unless(element.Id != 0, "id 0 is padding");
            Unless(profile != RtpExtensions.OneByteProfile || element is { Id: < 15, Data.Length: >= 1 and <= 16 }, "one-byte elements are small");
            total += 1 + element.Data.Length;
            Unless(RtpExtensions.TryGet(profile, body, element.Id, out _), "an element that is seen is found");
        }
        Unless(total <= body.Length, "elements do not overlap");
    }
}
