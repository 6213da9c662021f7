using System.Text;
using Voice.Protocol.Voice;
using static Voice.Fuzz.BrokenPromiseException;

namespace Voice.Fuzz;

internal sealed class ServerSdpTarget : IFuzzTarget
{
    public void Run(ReadOnlySpan<byte> input)
    {
        if (ServerSdpReader.Parse(Encoding.Latin1.GetString(input)) is not { } sdp) return;
        Unless(sdp.Fingerprint.Length == 32, "a SHA-256 fingerprint");
        Unless(sdp.Addresses.Length is > 0 and <= 8, "somewhere to go, within bounds");
        Unless(sdp.IceUfrag.Length is > 0 and <= 256 && sdp.IcePassword.Length is > 0 and <= 256, "credentials within bounds");
    }
}
