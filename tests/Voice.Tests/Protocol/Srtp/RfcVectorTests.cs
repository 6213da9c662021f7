using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;
using Voice.Tests.Vectors;
using Xunit;

namespace Voice.Tests.Protocol.Srtp;

public class RfcVectorTests
{
    [Fact]
    public void Rfc3711_B2_keystream()
    {
        using var cipher = new AesCmHmacSha1(Rfc3711.KeystreamKey, new byte[20], Rfc3711.KeystreamSalt);
        var keystream = new byte[Rfc3711.KeystreamLength];
        cipher.Seal(ssrc: 0, index: 0, default, word: 0, keystream, keystream, new byte[10]);
        foreach (var (block, expected) in Rfc3711.Keystream) Assert.Equal(expected, Hex.Of(keystream.AsSpan(block * 16, 16)));
    }

    [Theory]
    [InlineData(KeyDerivation.RtpEncryption, Rfc3711.CipherKey)]
    [InlineData(KeyDerivation.RtpSalt, Rfc3711.CipherSalt)]
    [InlineData(KeyDerivation.RtcpEncryption, Rfc3711.RtcpCipherKey)]
    [InlineData(KeyDerivation.RtcpAuthentication, Rfc3711.RtcpAuthenticationKey)]
    [InlineData(KeyDerivation.RtcpSalt, Rfc3711.RtcpCipherSalt)]
    public void Rfc3711_B3_key_derivation(byte label, string expected) =>
        Assert.Equal(expected, Hex.Of(Derive(label, expected.Length / 2)));

    [Fact]
    public void Rfc3711_B3_long_authentication_key() =>
        Assert.Equal(Hex.Of(Rfc3711.AuthenticationKey), Hex.Of(Derive(KeyDerivation.RtpAuthentication, Rfc3711.AuthenticationKey.Length)));

    [Fact]
    public void Aes_cm_rtp() => CheckRtp(AesCm, Rfc3711.Rtp, Rfc3711.Srtp, index: 0x1234);

    [Fact]
    public void Aes_cm_rtcp() => CheckRtcp(AesCm, Rfc3711.Rtcp, Rfc3711.Srtcp, index: 1);

    [Fact]
    public void Rfc7714_16_1_rtp() => CheckRtp(Gcm128, Rfc7714.Rtp, Rfc7714.Srtp128, Rfc7714.RtpIndex);

    [Fact]
    public void Rfc7714_16_2_rtp() => CheckRtp(Gcm256, Rfc7714.Rtp, Rfc7714.Srtp256, Rfc7714.RtpIndex);

    [Fact]
    public void Rfc7714_17_1_rtcp() => CheckRtcp(Gcm128, Rfc7714.Rtcp, Rfc7714.Srtcp128, Rfc7714.RtcpIndex);

    [Fact]
    public void Rfc7714_17_2_rtcp() => CheckRtcp(Gcm256, Rfc7714.Rtcp, Rfc7714.Srtcp256, Rfc7714.RtcpIndex);

    [Fact]
    public void Rfc7714_17_3_rtcp_in_clear_is_refused()
    {
        using var receiver = new SrtpReceiver(Gcm128());
        Assert.Equal(SrtpResult.Malformed, receiver.TryUnprotectRtcp(Rfc7714.Srtcp128TagOnly, new byte[256], out _));
    }

    private static SrtpContext AesCm() => new(SrtpProfile.Aes128CmHmacSha1_80, Rfc3711.MasterKey, Rfc3711.MasterSalt);

    private static SrtpContext Gcm128() => Gcm(SrtpProfile.AeadAes128Gcm, Rfc7714.Key128);

    private static SrtpContext Gcm256() => Gcm(SrtpProfile.AeadAes256Gcm, Rfc7714.Key256);

    private static SrtpContext Gcm(SrtpProfile profile, byte[] sessionKey) => new(
        profile,
        rtp: new AeadAesGcm(sessionKey, Rfc7714.Salt, associateWord: false),
        rtcp: new AeadAesGcm(sessionKey, Rfc7714.Salt, associateWord: true));

    private static byte[] Derive(byte label, int length)
    {
        var key = new byte[length];
        KeyDerivation.Derive(Rfc3711.MasterKey, Rfc3711.MasterSalt, label, key);
        return key;
    }

    private static void CheckRtp(Func<SrtpContext> create, byte[] plain, byte[] expected, ulong index)
    {
        using var context = create();
        VectorRunner.Writing(expected, destination => context.Protect(plain, RtpHeader.FixedLength, index, destination));
        var read = VectorRunner.Reading(expected, datagram =>
        {
            using var receiver = new SrtpReceiver(create());
            var buffer = new byte[datagram.Length];
            if (receiver.TryUnprotect(datagram, buffer, out var length, out var guessed) != SrtpResult.Ok) return null;
            Assert.Equal(index, guessed);
            return Hex.Of(buffer.AsSpan(0, length));
        });
        Assert.Equal(Hex.Of(plain), read);
    }

    private static void CheckRtcp(Func<SrtpContext> create, byte[] plain, byte[] expected, uint index)
    {
        using var context = create();
        VectorRunner.Writing(expected, destination => context.ProtectRtcp(plain, index, destination));
        var read = VectorRunner.Reading(expected, datagram =>
        {
            using var receiver = new SrtpReceiver(create());
            var buffer = new byte[datagram.Length];
            return receiver.TryUnprotectRtcp(datagram, buffer, out var length) == SrtpResult.Ok ? Hex.Of(buffer.AsSpan(0, length)) : null;
        });
        Assert.Equal(Hex.Of(plain), read);
    }
}
