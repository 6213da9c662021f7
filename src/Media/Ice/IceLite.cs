using System.Text;
using Voice.Media.Net;
using Voice.Protocol.Stun;

namespace Voice.Media.Ice;

/// <summary>An address that an authenticated check came from.</summary>
/// <param name="number">Not the one of the 255 before and after it, in this transport.</param>
public sealed class ValidatedAddress(RemoteEndPoint remote, byte number)
{
    public Destination Destination { get; } = new(remote);

    public TimeSpan LastCheck { get; internal set; }

    internal byte Number { get; } = number;
}

/// <summary>The passive side of ICE (RFC 8445 section 2.5): one host candidate, no checks of its own; it answers the client's
/// checks, remembers where authenticated ones came from, and sends where the client nominated, for as long as the client
/// goes on checking that address (RFC 7675).</summary>
public sealed class IceLite
{
    /// <summary>Addresses remembered at a time; a client has a few.</summary>
    public const int MaxAddresses = 8;

    /// <summary>RFC 7675 section 5.1.</summary>
    public static readonly TimeSpan ConsentTime = TimeSpan.FromSeconds(30);

    private readonly byte[] username;
    private readonly byte[] password;
    private readonly List<ValidatedAddress> addresses = new(MaxAddresses);
    private readonly CheckHistory history = new();
    private ValidatedAddress? selected;
    private byte lastNumber;

    public IceLite(string localUfrag, string localPassword, string remoteUfrag)
    {
        Username = $"{localUfrag}:{remoteUfrag}";
        username = Encoding.UTF8.GetBytes(Username);
        password = Encoding.UTF8.GetBytes(localPassword);
    }

    /// <summary>What a check to us carries (RFC 8445 section 7.2.2).</summary>
    public string Username { get; }

    public IReadOnlyList<ValidatedAddress> Addresses => addresses;

    /// <summary>The nominated address.</summary>
    public Destination? Selected => selected?.Destination;

    public ValidatedAddress? Find(in RemoteEndPoint remote)
    {
        foreach (var address in addresses)
        {
            if (address.Destination.Remote == remote) return address;
        }
        return null;
    }

    /// <summary>Null if this is a check by our client, and not one that was seen from elsewhere; remembers nothing. RFC 8489
    /// section 9.1.3 would have us answer strangers with 400 or 401: they get nothing.</summary>
    public DropReason? Authenticate(in StunMessage message, in RemoteEndPoint from)
    {
        if (message.Class != StunClass.Request || message.Method != StunMethod.Binding) return DropReason.StunNotRequest;
        if (!message.VerifyFingerprint()) return DropReason.StunFingerprint; // RFC 8445 section 7.1.1: a check has one
        if (!message.TryGetUsername(out var name) || !name.SequenceEqual(username)) return DropReason.StunUnknownUsername;
        if (!message.VerifyIntegrity(password)) return DropReason.StunIntegrity;
        // From the same address it is sent again (RFC 8489 section 6.2.1) and answered again (section 6.3.1).
        return history.TryFind(message.TransactionId, out var first) && Find(from)?.Number != first ? DropReason.StunReplayed : null;
    }

    /// <summary>Writes the error response that an authenticated check may deserve.</summary>
    /// <returns>Null if it deserves none; else what to count.</returns>
    public DropReason? Refuse(in StunMessage check, Span<byte> response, out int length)
    {
        var writer = new StunWriter(response, StunClass.ErrorResponse, StunMethod.Binding, check.TransactionId);
        length = 0;
        Span<ushort> unknown = stackalloc ushort[8];
        var unknowns = check.CopyUnknownRequired(unknown);
        DropReason reason;
        if (unknowns > 0) // RFC 8489 section 6.3.1
        {
            writer.AddErrorCode(StunError.UnknownAttribute);
            writer.AddUnknownAttributes(unknown[..unknowns]);
            reason = DropReason.StunUnknownAttribute;
        }
        else if (check.TryGetIceControlled(out _)) // RFC 8445 section 7.3.1.1: a lite agent is always the controlled one
        {
            writer.AddErrorCode(StunError.RoleConflict);
            reason = DropReason.StunRoleConflict;
        }
        else
        {
            return null;
        }
        length = Finish(ref writer);
        return reason;
    }

    /// <summary>Remembers an authenticated check and nominates its address if it asks so.</summary>
    /// <param name="forgotten">The address that had to make room for this one.</param>
    public ValidatedAddress Validate(in StunMessage check, in RemoteEndPoint from, TimeSpan now, out ValidatedAddress? forgotten)
    {
        forgotten = null;
        var address = Find(from);
        if (address is null)
        {
            if (addresses.Count == MaxAddresses)
            {
                forgotten = addresses.Where(other => other != selected).MinBy(other => other.LastCheck)!;
                addresses.Remove(forgotten);
            }
            addresses.Add(address = new(from, ++lastNumber));
        }
        if (!history.TryFind(check.TransactionId, out _)) history.Add(check.TransactionId, address.Number);
        address.LastCheck = now;
        if (check.UseCandidate) selected = address; // RFC 8445 section 8.2: nothing else moves it
        return address;
    }

    /// <summary>Goes on with the address that an earlier process sent to; the client checks it again within its consent time.</summary>
    public void Resume(in RemoteEndPoint nominated, TimeSpan now) => addresses.Add(selected = new(nominated, ++lastNumber) { LastCheck = now });

    /// <summary>Writes the success response (RFC 8445 section 7.3.1.2).</summary>
    public int Answer(in StunMessage check, in RemoteEndPoint from, Span<byte> response)
    {
        var writer = new StunWriter(response, StunClass.SuccessResponse, StunMethod.Binding, check.TransactionId);
        Span<byte> mapped = stackalloc byte[16];
        from.WriteAddress(mapped);
        writer.AddXorMappedAddress(mapped, from.Port);
        return Finish(ref writer);
    }

    /// <summary>Forgets the addresses whose consent ran out, the selected one too.</summary>
    /// <returns>False when consent to send is gone: the selected address, or the last one, expired.</returns>
    public bool KeepsConsent(TimeSpan now, List<ValidatedAddress> expired)
    {
        for (var i = addresses.Count - 1; i >= 0; i--)
        {
            if (now - addresses[i].LastCheck < ConsentTime) continue;
            expired.Add(addresses[i]);
            addresses.RemoveAt(i);
        }
        if (expired.Count == 0) return true;
        return addresses.Count > 0 && (selected is null || !expired.Contains(selected));
    }

    private int Finish(ref StunWriter writer)
    {
        writer.AddMessageIntegrity(password);
        writer.AddFingerprint();
        return writer.Length;
    }
}
