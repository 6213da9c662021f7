using Voice.Protocol.DiscordUdp;
using static Voice.Fuzz.BrokenPromiseException;

namespace Voice.Fuzz;

/// <summary>A stranger's datagrams under a key that he does not have.</summary>
internal sealed class DiscordUdpTarget : IFuzzTarget
{
    private readonly UdpProtection[] protections =
        [.. Enum.GetValues<EncryptionMode>().Select(mode => new UdpProtection(mode, new byte[EncryptionModes.KeyLength], UdpEnd.Server))];

    private readonly byte[] plain = new byte[1 << 16];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length > plain.Length) return;
        foreach (var protection in protections)
        {
            Unless(!protection.TryUnprotect(input, plain, out var length) && length == 0, "a stranger's packet is refused");
            Unless(!protection.TryUnprotectRtcp(input, plain, out length) && length == 0, "a stranger's report is refused");
        }
    }
}
