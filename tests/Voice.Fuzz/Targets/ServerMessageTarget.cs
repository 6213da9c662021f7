using Voice.Protocol.Voice;
using static Voice.Fuzz.BrokenPromiseException;

namespace Voice.Fuzz;

internal sealed class ServerMessageTarget : IFuzzTarget
{
    public void Run(ReadOnlySpan<byte> input)
    {
        switch (ServerMessage.Parse(input))
        {
            case ServerMessage.Hello hello: Unless(hello.HeartbeatInterval > TimeSpan.Zero, "an interval to beat at"); break;
            case ServerMessage.Ready ready: Unless(ready.Port is >= 0 and <= 65535 && ready.Modes.All(mode => mode is not null), "fields are in range"); break;
        }
    }
}
