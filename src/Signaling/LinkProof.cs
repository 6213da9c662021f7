using System.Security.Cryptography;
using System.Text;

namespace Voice.Signaling;

/// <summary>How a gateway and a node prove to each other, inside TLS, that they know the cluster secret. The proof covers
/// both nonces and the gateway's certificate (tls-server-end-point, RFC 5929 section 4): somebody in the middle, who has
/// to show a certificate of their own, can pass neither proof on.</summary>
public static class LinkProof
{
    /// <summary>Bytes of each side's nonce.</summary>
    public const int NonceSize = 32;

    public static byte[] NewNonce() => RandomNumberGenerator.GetBytes(NonceSize);

    /// <summary>What <see cref="Protocol.Links.GatewayChallenge.Proof"/> carries.</summary>
    /// <param name="certificateHash">SHA-256 of the gateway's certificate (DER), as this side saw it in the TLS handshake.</param>
    public static byte[] OfGateway(byte[] clusterSecret, byte[] nodeNonce, byte[] gatewayNonce, byte[] certificateHash) =>
        Prove("gateway", clusterSecret, nodeNonce, gatewayNonce, certificateHash);

    /// <summary>What <see cref="Protocol.Links.NodeProof.Proof"/> carries.</summary>
    /// <inheritdoc cref="OfGateway"/>
    public static byte[] OfNode(byte[] clusterSecret, byte[] nodeNonce, byte[] gatewayNonce, byte[] certificateHash) =>
        Prove("node", clusterSecret, nodeNonce, gatewayNonce, certificateHash);

    /// <summary>Compares in constant time.</summary>
    public static bool Matches(byte[] expected, byte[]? given) => CryptographicOperations.FixedTimeEquals(expected, given);

    private static byte[] Prove(string side, byte[] clusterSecret, byte[] nodeNonce, byte[] gatewayNonce, byte[] certificateHash)
    {
        if (nodeNonce.Length != NonceSize || gatewayNonce.Length != NonceSize || certificateHash.Length != SHA256.HashSizeInBytes)
            throw new ArgumentException("nonces and certificate hash are 32 bytes each");

        // All parts but the label have fixed sizes, and no label begins another: the text can be split in one way only.
        byte[] covered = [.. Encoding.ASCII.GetBytes(side), .. nodeNonce, .. gatewayNonce, .. certificateHash];
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, clusterSecret, 32, info: "voice node link 1"u8.ToArray());
        return HMACSHA256.HashData(key, covered);
    }
}
