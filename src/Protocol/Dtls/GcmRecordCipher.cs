using System.Buffers.Binary;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto.Impl;
using Voice.Protocol.Crypto;

namespace Voice.Protocol.Dtls;

/// <summary>AES-GCM of one direction's records (RFC 5288 section 3). It serves BouncyCastle through the handshake and can open what comes
/// afterwards without it.</summary>
public sealed class GcmRecordCipher : TlsAeadCipherImpl
{
    private const int ExplicitNonceLength = 8;

    private readonly bool seals;
    private readonly byte[] nonce = new byte[AesGcmCipher.NonceLength];
    private AesGcmCipher? cipher;
    private ulong highest;

    internal GcmRecordCipher(bool seals) => this.seals = seals;

    /// <summary>Opens a record that is newer than all that were opened before; after the handshake only.</summary>
    /// <param name="plaintext">Must have room for it.</param>
    /// <returns>False if it is not, not authentic, or does not fit.</returns>
    public bool TryOpen(in DtlsRecord record, Span<byte> plaintext, out int length)
    {
        length = record.Fragment.Length - ExplicitNonceLength - AesGcmCipher.TagLength;
        if (length < 0 || length > plaintext.Length || record.Number <= highest) return false;

        Span<byte> data = stackalloc byte[DtlsRecord.HeaderLength]; // RFC 5246 section 6.2.3.3, RFC 6347 section 4.1.2.1
        BinaryPrimitives.WriteUInt64BigEndian(data, record.Number);
        record.TypeAndVersion.CopyTo(data[8..]);
        BinaryPrimitives.WriteUInt16BigEndian(data[11..], (ushort)length);
        record.Fragment[..ExplicitNonceLength].CopyTo(nonce.AsSpan(^ExplicitNonceLength..));
        var sealedText = record.Fragment[ExplicitNonceLength..];
        if (!cipher!.TryOpen(nonce, data, sealedText[..length], sealedText[length..], plaintext[..length])) return false;
        highest = record.Number;
        return true;
    }

    void TlsAeadCipherImpl.SetKey(byte[] key, int keyOff, int keyLen) => cipher = AesGcmCipher.Create(key.AsSpan(keyOff, keyLen));

    void TlsAeadCipherImpl.SetKey(ReadOnlySpan<byte> key) => cipher = AesGcmCipher.Create(key);

    void TlsAeadCipherImpl.Init(byte[] nonce, int macSize, byte[]? additionalData) => nonce.CopyTo(this.nonce, 0);

    int TlsAeadCipherImpl.GetOutputSize(int inputLength) => inputLength + (seals ? AesGcmCipher.TagLength : -AesGcmCipher.TagLength);

    int TlsAeadCipherImpl.DoFinal(byte[] input, int inputOffset, int inputLength, byte[] output, int outputOffset) =>
        throw new TlsFatalAlert(AlertDescription.internal_error); // no record is without associated data

    int TlsAeadCipherImpl.DoFinal(byte[] additionalData, byte[] input, int inputOffset, int inputLength, byte[] output, int outputOffset)
    {
        var text = input.AsSpan(inputOffset, seals ? inputLength : inputLength - AesGcmCipher.TagLength);
        var result = output.AsSpan(outputOffset);
        if (seals)
        {
            cipher!.Seal(nonce, additionalData, text, result[..text.Length], result.Slice(text.Length, AesGcmCipher.TagLength));
            return text.Length + AesGcmCipher.TagLength;
        }

        var tag = input.AsSpan(inputOffset + text.Length, AesGcmCipher.TagLength);
        if (!cipher!.TryOpen(nonce, additionalData, text, tag, result[..text.Length])) throw new TlsFatalAlert(AlertDescription.bad_record_mac);
        highest = Math.Max(highest, BinaryPrimitives.ReadUInt64BigEndian(additionalData));
        return text.Length;
    }

    void TlsAeadCipherImpl.Reset()
    {
    }
}
