using System.Text;
using Voice.Protocol.Voice;
using static Voice.Fuzz.BrokenPromiseException;

namespace Voice.Fuzz;

internal sealed class SdpFragmentTarget : IFuzzTarget
{
    public void Run(ReadOnlySpan<byte> input)
    {
        var sdp = SdpFragment.Parse(Encoding.Latin1.GetString(input), out var refusal);
        Unless(sdp is null == (refusal != SdpRefusal.None), "taken, or refused with a reason");
        if (sdp is null) return;
        Unless(sdp.Fingerprint.Length == 32, "a SHA-256 fingerprint");
        Unless(sdp.IceUfrag.Length is >= 4 and <= 256 && sdp.IcePassword.Length is >= 22 and <= 256, "credentials of the lengths that ICE allows");
        Unless(sdp.AudioLevelExtension <= 14, "an extension id that a one-byte header can carry");
        Unless(sdp.OpusPayloadType is null or < 64 or > 95 and < 128, "a payload type that is not read as RTCP");
    }
}
