using System.Text.Json;
using Voice.Protocol.Voice;
using static Voice.Fuzz.BrokenPromiseException;

namespace Voice.Fuzz;

internal sealed class VoiceMessageTarget : IFuzzTarget
{
    public void Run(ReadOnlySpan<byte> input)
    {
        Check(ClientMessage.Parse(input));
        Check(ClientMessage.ParseBinary(input));
    }

    private static void Check(ClientMessage message)
    {
        switch (message)
        {
            case Refused refused:
                Unless(refused.Code is VoiceCloseCode.DecodeError or VoiceCloseCode.UnknownOpcode, "a message that is not taken names its close code");
                break;
            case Heartbeat heartbeat:
                using (JsonDocument.Parse(ServerFrame.Ack(heartbeat)))
                {
                }

                break;
            case SelectProtocol { Protocol: SelectProtocol.Udp } select:
                Unless(select.Target?.Mode is not null, "a UDP selection names a mode");
                break;
        }
    }
}
