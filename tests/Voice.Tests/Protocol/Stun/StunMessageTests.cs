using System.Net;
using Voice.Protocol.Stun;
using Voice.Tests.Fakes;
using Voice.Tests.Vectors;
using Xunit;

namespace Voice.Tests.Protocol.Stun;

public class StunMessageTests
{
    private static readonly byte[] Transaction = Hex.Bytes("0102030405060708090a0b0c");

    [Fact]
    public void A_check_is_written_and_read()
    {
        var request = Request();
        var read = VectorRunner.Reading(request, datagram => Rfc5769Tests.Describe(datagram, Rfc5769.Password));
        Assert.Equal(
            "Request Binding 0102030405060708090a0b0c user ours:theirs priority 7effffff nominated controlling 0123456789abcdef authentic fingerprinted",
            read);
        VectorRunner.Writing(request, destination => WriteRequest(destination));
    }

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("2001:db8::1")]
    [InlineData("::ffff:192.0.2.1")]
    public void A_response_says_where_the_request_came_from(string text)
    {
        var buffer = new byte[128];
        var writer = new StunWriter(buffer, StunClass.SuccessResponse, StunMethod.Binding, Transaction);
        writer.AddXorMappedAddress(IPAddress.Parse(text).GetAddressBytes(), 50_000);
        writer.AddMessageIntegrity(Rfc5769.Password);
        writer.AddFingerprint();
        var expected = new IPEndPoint(IPAddress.Parse(text.Replace("::ffff:", "", StringComparison.Ordinal)), 50_000);
        Assert.Equal(
            $"SuccessResponse Binding 0102030405060708090a0b0c mapped {expected} authentic fingerprinted",
            Rfc5769Tests.Describe(buffer.AsSpan(0, writer.Length), Rfc5769.Password));
        // It never amplifies: RFC 8489 leaves that to us.
        Assert.True(writer.Length <= Request().Length);
    }

    [Theory]
    [InlineData(StunError.BadRequest)]
    [InlineData(StunError.Unauthenticated)]
    [InlineData(StunError.UnknownAttribute)]
    [InlineData(StunError.RoleConflict)]
    public void An_error_is_written_and_read(StunError error)
    {
        var buffer = new byte[128];
        var writer = new StunWriter(buffer, StunClass.ErrorResponse, StunMethod.Binding, Transaction);
        writer.AddErrorCode(error);
        writer.AddUnknownAttributes([0x0014, 0x0015, 0x7FFF]);
        writer.AddFingerprint();
        Assert.Equal(
            $"ErrorResponse Binding 0102030405060708090a0b0c error {(int)error} fingerprinted",
            Rfc5769Tests.Describe(buffer.AsSpan(0, writer.Length), Rfc5769.Password));
        Assert.True(StunMessage.TryParse(buffer.AsSpan(0, writer.Length), out var message));
        Assert.True(message.TryGet(StunAttribute.UnknownAttributes, out var types));
        Assert.Equal("001400157fff", Hex.Of(types));
    }

    [Fact]
    public void Any_bit_changed_is_malformed_or_not_authentic()
    {
        var request = Request();
        var integrityEnd = request.Length - 8; // FINGERPRINT is not under MESSAGE-INTEGRITY, and has its own check
        for (var i = 0; i < request.Length * 8; i++)
        {
            request[i / 8] ^= (byte)(1 << i % 8);
            if (StunMessage.TryParse(request, out var message))
            {
                Assert.False(message.VerifyFingerprint());
                if (i / 8 < integrityEnd) Assert.False(message.VerifyIntegrity(Rfc5769.Password));
            }
            request[i / 8] ^= (byte)(1 << i % 8);
        }
    }

    [Fact]
    public void Attributes_after_the_integrity_are_not_believed()
    {
        var buffer = new byte[256];
        var writer = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, Transaction);
        writer.AddUsername("ours:theirs"u8);
        writer.AddMessageIntegrity(Rfc5769.Password);
        writer.AddUseCandidate();
        writer.AddPriority(1);
        writer.Add((StunAttribute)0x0013, default);
        writer.AddFingerprint();
        Assert.True(StunMessage.TryParse(buffer.AsSpan(0, writer.Length), out var message));
        Assert.True(message.VerifyIntegrity(Rfc5769.Password) && message.VerifyFingerprint());
        Assert.False(message.UseCandidate || message.TryGetPriority(out _));
        Assert.Equal(0, message.CopyUnknownRequired(new ushort[4]));
    }

    [Fact]
    public void Without_integrity_or_fingerprint_neither_verifies()
    {
        var buffer = new byte[64];
        var writer = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, Transaction);
        Assert.True(StunMessage.TryParse(buffer.AsSpan(0, writer.Length), out var message));
        Assert.False(message.VerifyIntegrity(default) || message.VerifyFingerprint());
    }

    [Theory]
    [InlineData("0008 0010 00000000 00000000 00000000 00000000")] // a hash of 16
    [InlineData("8028 0000")]
    [InlineData("8028 0004 00000000 0025 0000")] // a fingerprint that is not last
    public void Odd_proofs_prove_nothing(string attributes)
    {
        Assert.True(StunMessage.TryParse(Message(Hex.Bytes(attributes)), out var message));
        Assert.False(message.VerifyIntegrity(Rfc5769.Password) || message.VerifyFingerprint());
    }

    [Theory]
    [InlineData("0024 0002 0001 0000")] // priority of 2 bytes
    [InlineData("8029 0004 00000000")] // tie breaker of 4
    [InlineData("0020 0008 0002 0000 00000000")] // IPv6 of 4
    [InlineData("0020 0008 0003 0000 00000000")] // no family
    [InlineData("0020 0002 0001 0000")]
    [InlineData("0009 0002 0001 0000")]
    public void Values_of_the_wrong_size_are_absent(string attributes)
    {
        Assert.Equal("Request Binding 0102030405060708090a0b0c", Rfc5769Tests.Describe(Message(Hex.Bytes(attributes)), default));
    }

    [Theory]
    [InlineData("0006 0005 aabbccdd")] // longer than the message
    [InlineData("0006 0003 aabbcc")] // padding missing; the length is not whole words either
    [InlineData("0006 ffff")]
    public void Attributes_that_do_not_fit_are_refused(string attributes) =>
        Assert.False(StunMessage.TryParse(Message(Hex.Bytes(attributes)), out _));

    [Fact]
    public void Messages_beyond_the_bound_are_refused()
    {
        byte[] Padded(int length) => Message([0x80, 0x22, (byte)(length - 24 >> 8), (byte)(length - 24), .. new byte[length - 24]]);
        Assert.True(StunMessage.TryParse(Padded(StunMessage.MaxLength), out _));
        Assert.False(StunMessage.TryParse(Padded(StunMessage.MaxLength + 4), out _));
    }

    [Fact]
    public void A_check_and_its_answer_allocate_nothing()
    {
        byte[] request = Request(), response = new byte[128], address = [192, 0, 2, 1];
        var verified = 0;
        void Answer(int times)
        {
            for (var i = 0; i < times; i++)
            {
                if (!StunMessage.TryParse(request, out var message) || !message.VerifyFingerprint() || !message.VerifyIntegrity(Rfc5769.Password)) continue;
                verified++;
                var writer = new StunWriter(response, StunClass.SuccessResponse, StunMethod.Binding, message.TransactionId);
                writer.AddXorMappedAddress(address, 50_000);
                writer.AddMessageIntegrity(Rfc5769.Password);
                writer.AddFingerprint();
            }
        }

        Answer(100);
        Assert.Equal(0, Allocated.ByUndisturbed(() => Answer(1000)));
        Assert.Equal(100, verified % 1000);
    }

    private static byte[] Request()
    {
        var buffer = new byte[256];
        return buffer[..WriteRequest(buffer)];
    }

    private static int WriteRequest(Span<byte> destination)
    {
        var writer = new StunWriter(destination, StunClass.Request, StunMethod.Binding, Transaction);
        writer.AddUsername("ours:theirs"u8);
        writer.AddIceControlling(0x0123456789ABCDEF);
        writer.AddUseCandidate();
        writer.AddPriority(0x7EFFFFFF);
        writer.AddMessageIntegrity(Rfc5769.Password);
        writer.AddFingerprint();
        return writer.Length;
    }

    private static byte[] Message(byte[] attributes) =>
        [0, 1, (byte)(attributes.Length >> 8), (byte)attributes.Length, 0x21, 0x12, 0xA4, 0x42, .. Transaction, .. attributes];
}
