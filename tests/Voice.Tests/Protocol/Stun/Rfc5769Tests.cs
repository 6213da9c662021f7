using System.Net;
using System.Security.Cryptography;
using Voice.Protocol.Stun;
using Voice.Tests.Vectors;
using Xunit;

namespace Voice.Tests.Protocol.Stun;

public class Rfc5769Tests
{
    [Fact]
    public void Sample_request_is_read_and_verified()
    {
        var read = VectorRunner.Reading(Rfc5769.Request, datagram => Describe(datagram, Rfc5769.Password));
        Assert.Equal("Request Binding b7e7a701bc34d686fa87dfae user evtj:h6vY priority 6e0001ff controlled 932ff9b151263b36 authentic fingerprinted", read);
    }

    [Fact]
    public void Sample_responses_are_read_and_verified()
    {
        var read = VectorRunner.Reading(Rfc5769.ResponseIPv4, datagram => Describe(datagram, Rfc5769.Password));
        Assert.Equal("SuccessResponse Binding b7e7a701bc34d686fa87dfae mapped 192.0.2.1:32853 authentic fingerprinted", read);

        read = VectorRunner.Reading(Rfc5769.ResponseIPv6, datagram => Describe(datagram, Rfc5769.Password));
        Assert.Equal(
            "SuccessResponse Binding b7e7a701bc34d686fa87dfae mapped [2001:db8:1234:5678:11:2233:4455:6677]:32853 authentic fingerprinted", read);
    }

    [Fact]
    public void Long_term_request_is_authentic_and_asks_for_what_we_do_not_know()
    {
#pragma warning disable CA5351 // RFC 8489 section 9.2.2
        var key = MD5.HashData("マトリックス:example.org:TheMatrIX"u8);
#pragma warning restore CA5351
        Assert.True(StunMessage.TryParse(Rfc5769.LongTermRequest, out var message));
        Assert.True(message.VerifyIntegrity(key));
        Assert.False(message.VerifyFingerprint());
        var unknown = new ushort[8];
        Assert.Equal(2, message.CopyUnknownRequired(unknown));
        Assert.Equal([0x0015, 0x0014], unknown[..2]);
    }

    [Fact]
    public void Our_writer_makes_the_sample_request_but_for_its_padding()
    {
        // The RFC pads with spaces, we with zeros: so the username here is long enough to need none.
        var buffer = new byte[256];
        Assert.True(StunMessage.TryParse(Rfc5769.Request, out var sample));
        var writer = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, sample.TransactionId);
        foreach (var attribute in sample.Attributes)
        {
            if (attribute.Type == StunAttribute.MessageIntegrity) break;
            writer.Add(attribute.Type, attribute.Value);
        }
        // Up to the padding of the username's nine bytes it is the RFC's, but for the length.
        Assert.Equal(Hex.Of(Rfc5769.Request.AsSpan(20, 53)), Hex.Of(buffer.AsSpan(20, 53)));

        writer.AddMessageIntegrity(Rfc5769.Password);
        writer.AddFingerprint();
        Assert.Equal(Rfc5769.Request.Length, writer.Length);
        Assert.Equal(
            "Request Binding b7e7a701bc34d686fa87dfae user evtj:h6vY priority 6e0001ff controlled 932ff9b151263b36 authentic fingerprinted",
            Describe(buffer.AsSpan(0, writer.Length), Rfc5769.Password));
    }

    /// <summary>All that a message says and proves; null if it does not parse, or lacks integrity or a right fingerprint.</summary>
    internal static string? Describe(ReadOnlySpan<byte> datagram, ReadOnlySpan<byte> password)
    {
        if (!StunMessage.TryParse(datagram, out var message)) return null;
        var words = $"{message.Class} {message.Method} {Hex.Of(message.TransactionId)}";
        if (message.TryGetUsername(out var username)) words += " user " + System.Text.Encoding.UTF8.GetString(username);
        if (message.TryGetPriority(out var priority)) words += $" priority {priority:x8}";
        if (message.UseCandidate) words += " nominated";
        if (message.TryGetIceControlled(out var tieBreaker)) words += $" controlled {tieBreaker:x16}";
        if (message.TryGetIceControlling(out tieBreaker)) words += $" controlling {tieBreaker:x16}";
        if (message.TryGetErrorCode(out var code)) words += $" error {code}";
        Span<byte> address = stackalloc byte[16];
        if (message.TryGetXorMappedAddress(address, out var length, out var port))
        {
            words += $" mapped {new IPEndPoint(new IPAddress(address[..length]), port)}";
        }
        if (message.VerifyIntegrity(password)) words += " authentic";
        if (message.VerifyFingerprint()) words += " fingerprinted";
        return words;
    }
}
