using System.Security.Cryptography;
using System.Text;
using Voice.Protocol.Stun;

namespace Voice.Client.WebRtc;

/// <summary>The controlling side of ICE towards a lite agent with one candidate (RFC 8445): sends checks that nominate, until one is answered, and
/// goes on checking for consent (RFC 7675). No socket, no clock.</summary>
internal sealed class IceClient
{
    /// <summary>How long the first answer may take.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>RFC 7675 section 5.1.</summary>
    public static readonly TimeSpan ConsentTime = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan FirstInterval = TimeSpan.FromMilliseconds(50); // RFC 8445 section 14.2, Ta
    private static readonly TimeSpan LongestInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ConsentInterval = TimeSpan.FromSeconds(5);

    /// <summary>RFC 8445 section 5.1.2.1: a peer-reflexive candidate, which is what we become, of full preference.</summary>
    private const uint Priority = (110u << 24) | (65535u << 8) | 255;

    /// <summary>Checks whose answer still counts.</summary>
    private const int MaxPending = 16;

    private readonly byte[] username;
    private readonly byte[] password;
    private readonly ulong tieBreaker;
    private readonly Queue<byte[]> pending = new();
    private readonly TimeSpan began;
    private TimeSpan interval = FirstInterval;
    private TimeSpan? answeredAt;

    /// <param name="tieBreaker">The highest wins the role against a full agent that thinks itself controlling (RFC 8445 section 7.3.1.1); random
    /// where the server is lite and never does.</param>
    public IceClient(string localUfrag, string remoteUfrag, string remotePassword, TimeSpan now, ulong? tieBreaker = null)
    {
        this.tieBreaker = tieBreaker ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        username = Encoding.UTF8.GetBytes($"{remoteUfrag}:{localUfrag}"); // section 7.2.2
        password = Encoding.UTF8.GetBytes(remotePassword);
        (began, NextCheck) = (now, now);
    }

    /// <summary>A check was answered.</summary>
    public bool IsConnected => answeredAt is not null;

    /// <summary>When <see cref="WriteCheck"/> is due.</summary>
    public TimeSpan NextCheck { get; private set; }

    public bool IsLost(TimeSpan now) => answeredAt is { } at ? now - at >= ConsentTime : now - began >= ConnectTimeout;

    /// <param name="jitter">0 to 1: consent checks are spread by 20 % (RFC 7675 section 5.1).</param>
    /// <returns>Bytes written; some 120.</returns>
    public int WriteCheck(Span<byte> destination, TimeSpan now, double jitter)
    {
        var transaction = RandomNumberGenerator.GetBytes(StunMessage.TransactionIdLength);
        if (pending.Count == MaxPending) pending.Dequeue();
        pending.Enqueue(transaction);

        var writer = new StunWriter(destination, StunClass.Request, StunMethod.Binding, transaction);
        writer.AddUsername(username);
        writer.AddPriority(Priority);
        writer.AddIceControlling(tieBreaker);
        writer.AddUseCandidate(); // section 7.2.1: there is one pair, so it is the one
        writer.AddMessageIntegrity(password);
        writer.AddFingerprint();

        if (IsConnected)
        {
            NextCheck = now + ConsentInterval * (0.8 + 0.4 * jitter);
        }
        else
        {
            NextCheck = now + interval;
            interval = interval * 2 < LongestInterval ? interval * 2 : LongestInterval;
        }

        return writer.Length;
    }

    /// <summary>Takes what may be the answer to a check; false if it is none.</summary>
    public bool TryTake(ReadOnlySpan<byte> datagram, TimeSpan now)
    {
        if (!StunMessage.TryParse(datagram, out var message) || message is not { Class: StunClass.SuccessResponse, Method: StunMethod.Binding }) return false;
        var known = false;
        foreach (var transaction in pending) known |= message.TransactionId.SequenceEqual(transaction);
        if (!known || !message.VerifyIntegrity(password)) return false;
        answeredAt = now;
        return true;
    }
}
