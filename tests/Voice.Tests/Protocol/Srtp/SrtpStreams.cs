using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;

namespace Voice.Tests.Protocol.Srtp;

/// <summary>Contexts with a fixed key, and packets under it.</summary>
internal static class SrtpStreams
{
    public static readonly SrtpProfile[] Profiles = [SrtpProfile.Aes128CmHmacSha1_80, SrtpProfile.AeadAes128Gcm, SrtpProfile.AeadAes256Gcm];

    public static SrtpContext Context(SrtpProfile profile)
    {
        var key = Enumerable.Range(1, profile.KeyLength).Select(i => (byte)i).ToArray();
        var salt = Enumerable.Range(101, profile.SaltLength).Select(i => (byte)i).ToArray();
        return new SrtpContext(profile, key, salt);
    }

    public static byte[] Packet(SrtpContext context, uint ssrc, ulong index, int payloadLength = 20)
    {
        var header = new byte[RtpHeader.FixedLength];
        RtpHeader.Write(header, false, 111, (ushort)index, (uint)index * 960, ssrc);
        var packet = new byte[header.Length + payloadLength + context.Profile.TagLength];
        context.Protect(header, Enumerable.Range(0, payloadLength).Select(i => (byte)i).ToArray(), index, packet);
        return packet;
    }

    public static byte[] Report(SrtpContext context, uint ssrc, uint index)
    {
        var compound = new byte[100];
        var writer = new RtcpWriter(compound);
        writer.ReceiverReport(ssrc, []);
        writer.Cname(ssrc, "cname"u8);
        var packet = new byte[writer.Length + context.Profile.RtcpOverhead];
        context.ProtectRtcp(compound.AsSpan(0, writer.Length), index, packet);
        return packet;
    }
}
