using Voice.Protocol.Voice;
using static Voice.Fuzz.BrokenPromiseException;

namespace Voice.Fuzz;

internal sealed class VoiceMessageTarget : IFuzzTarget
{
    public void Run(ReadOnlySpan<byte> input)
    {
        if (ClientMessage.Parse(input) is Refused refused)
            Unless(refused.Code is VoiceCloseCode.DecodeError or VoiceCloseCode.UnknownOpcode, "a message that is not taken names its close code");
    }
}
