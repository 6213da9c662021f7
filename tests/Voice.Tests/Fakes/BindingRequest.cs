using System.Text;
using Voice.Protocol.Links;
using Voice.Protocol.Stun;

namespace Voice.Tests.Fakes;

/// <summary>A browser's connectivity check (RFC 8445 section 7.2), with what a test wants wrong.</summary>
public static class BindingRequest
{
    public static byte[] Build(
        PutTransport to, ReadOnlySpan<byte> transaction, bool nominate = true, string? username = null, bool controlled = false,
        ushort? extra = null, bool integrity = true, bool fingerprint = true)
    {
        var buffer = new byte[512];
        var writer = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, transaction);
        writer.AddUsername(Encoding.UTF8.GetBytes(username ?? $"{to.WebRtc().LocalUfrag}:{to.WebRtc().RemoteUfrag}"));
        if (controlled) writer.AddIceControlled(7);
        else writer.AddIceControlling(7);
        writer.AddPriority(0x6E7F00FF);
        if (nominate) writer.AddUseCandidate();
        if (extra is { } type) writer.Add((StunAttribute)type, [1, 2, 3, 4]);
        if (integrity) writer.AddMessageIntegrity(Encoding.UTF8.GetBytes(to.WebRtc().LocalPassword));
        if (fingerprint) writer.AddFingerprint();
        return buffer[..writer.Length];
    }
}
