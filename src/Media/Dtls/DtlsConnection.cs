using Voice.Protocol.Dtls;

namespace Voice.Media.Dtls;

/// <summary>What is left of a DTLS connection once its handshake is done, some kilobyte: it sends our last flight again for a client that lost it
/// and hears the client end the connection. Nobody sends application data here.</summary>
/// <param name="lastFlight">Its datagrams. To send the same ones again is what a network may do too.</param>
internal sealed class DtlsConnection(GcmRecordCipher opener, byte[][] lastFlight)
{
    private const byte Fatal = 2;
    private const byte CloseNotify = 0;

    /// <summary>An alert has 2 bytes, a Finished has 24.</summary>
    private const int LongestPlaintext = 64;

    /// <summary>Takes a datagram that came after the handshake.</summary>
    /// <param name="resend">What to send in answer.</param>
    /// <returns>False when the client has ended the connection.</returns>
    public bool Receive(ReadOnlySpan<byte> datagram, out byte[][] resend)
    {
        resend = [];
        Span<byte> plaintext = stackalloc byte[LongestPlaintext];
        while (DtlsRecord.TryTake(ref datagram, out var record))
        {
            // The client's flight ends with its Finished, the one handshake message that is encrypted.
            if (record is not { Epoch: 1, ContentType: DtlsRecord.Handshake or DtlsRecord.Alert }) continue;
            if (!opener.TryOpen(record, plaintext, out var length)) continue;
            if (record.ContentType == DtlsRecord.Handshake) resend = lastFlight; // RFC 6347 section 4.2.4
            else if (length == 2 && (plaintext[0] == Fatal || plaintext[1] == CloseNotify)) return false; // RFC 5246 section 7.2
        }
        return true;
    }
}
