using Voice.Protocol.Stun;
using static Voice.Fuzz.BrokenPromiseException;

namespace Voice.Fuzz;

internal sealed class StunTarget : IFuzzTarget
{
    public void Run(ReadOnlySpan<byte> input)
    {
        if (!StunMessage.TryParse(input, out var message)) return;
        var total = StunMessage.HeaderLength;
        foreach (var attribute in message.Attributes) total += 4 + (attribute.Value.Length + 3) / 4 * 4;
        Unless(total == input.Length, "attributes fill the message");
        Unless(Enum.IsDefined(message.Class), "the class has two bits");

        Span<byte> address = stackalloc byte[16];
        message.TryGetUsername(out _);
        message.TryGetPriority(out _);
        message.TryGetIceControlling(out _);
        message.TryGetIceControlled(out _);
        if (message.TryGetXorMappedAddress(address, out var length, out _)) Unless(length is 4 or 16, "an address is IPv4 or IPv6");
        if (message.TryGetErrorCode(out var code)) Unless(code is >= 0 and < 1000, "an error code has three digits");
        Span<ushort> unknown = stackalloc ushort[4];
        Unless(message.CopyUnknownRequired(unknown) <= 4, "unknown attributes fit");
        message.VerifyFingerprint();
        Unless(!message.VerifyIntegrity("nobody has this password"u8), "nothing is authentic by chance");
    }
}
