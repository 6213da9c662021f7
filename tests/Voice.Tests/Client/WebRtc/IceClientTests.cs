using System.Net;
using Voice.Client.WebRtc;
using Voice.Media.Ice;
using Voice.Media.Net;
using Voice.Protocol.Stun;
using Xunit;

namespace Voice.Tests.Client.WebRtc;

/// <summary>Against the server's own lite agent.</summary>
public class IceClientTests
{
    private const string Password = "password-of-the-server-01";

    private static readonly RemoteEndPoint Address = RemoteEndPoint.From(new IPEndPoint(IPAddress.Loopback, 4000));

    private readonly IceLite server = new("serv", Password, "clnt");
    private readonly IceClient client = new("clnt", "serv", Password, TimeSpan.Zero);

    [Fact]
    public void The_first_answered_check_connects_and_nominates()
    {
        var answer = Answer(Check(TimeSpan.Zero));

        Assert.Equal(Address, server.Selected!.Remote);
        Assert.True(client.TryTake(answer, TimeSpan.FromMilliseconds(3)));
        Assert.True(client.IsConnected);
    }

    [Fact]
    public void Checks_are_sent_ever_slower_until_ten_seconds_without_an_answer()
    {
        var checks = 0;
        for (var now = TimeSpan.Zero; !client.IsLost(now); now = client.NextCheck, checks++) Check(now);

        Assert.InRange(checks, 15, 30);
        Assert.True(client.NextCheck >= IceClient.ConnectTimeout);
    }

    [Fact]
    public void Consent_is_asked_for_every_five_seconds_and_lasts_thirty()
    {
        client.TryTake(Answer(Check(TimeSpan.Zero)), TimeSpan.Zero);
        Check(client.NextCheck);

        var asked = client.NextCheck;
        Check(asked);
        Assert.Equal(TimeSpan.FromSeconds(5), client.NextCheck - asked);
        Assert.False(client.IsLost(IceClient.ConsentTime - TimeSpan.FromTicks(1)));
        Assert.True(client.IsLost(IceClient.ConsentTime));
    }

    [Fact]
    public void An_answer_that_is_forged_or_to_nobodys_check_is_none()
    {
        var answer = Answer(Check(TimeSpan.Zero));
        for (var i = 0; i < answer.Length - 8; i++) // FINGERPRINT comes after what is authenticated
        {
            var forged = answer.ToArray();
            forged[i] ^= 1;
            Assert.False(client.TryTake(forged, TimeSpan.Zero));
        }

        var other = new IceClient("clnt", "serv", Password, TimeSpan.Zero);
        Assert.False(other.TryTake(answer, TimeSpan.Zero));
        Assert.False(client.IsConnected);
    }

    private byte[] Check(TimeSpan now)
    {
        var buffer = new byte[256];
        return buffer[..client.WriteCheck(buffer, now, jitter: 0.5)];
    }

    private byte[] Answer(byte[] check)
    {
        Assert.True(StunMessage.TryParse(check, out var message));
        Assert.Null(server.Authenticate(message, Address));
        server.Validate(message, Address, TimeSpan.Zero, out _);
        var buffer = new byte[256];
        return buffer[..server.Answer(message, Address, buffer)];
    }
}
