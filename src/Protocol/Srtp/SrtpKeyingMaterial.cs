namespace Voice.Protocol.Srtp;

/// <summary>Splits what a DTLS handshake exported into the master keys and salts of both directions (RFC 5764 section 4.2).</summary>
public readonly ref struct SrtpKeyingMaterial
{
    /// <summary>The exporter's label.</summary>
    public const string ExporterLabel = "EXTRACTOR-dtls_srtp";

    /// <exception cref="ArgumentException">The material's length is not the profile's <c>KeyingMaterialLength</c>.</exception>
    public SrtpKeyingMaterial(SrtpProfile profile, ReadOnlySpan<byte> material)
    {
        if (material.Length != profile.KeyingMaterialLength) throw new ArgumentException("Wrong length for the profile.", nameof(material));
        Profile = profile;
        var (key, salt) = (profile.KeyLength, profile.SaltLength);
        ClientKey = material[..key];
        ServerKey = material.Slice(key, key);
        ClientSalt = material.Slice(2 * key, salt);
        ServerSalt = material.Slice(2 * key + salt, salt);
    }

    public SrtpProfile Profile { get; }

    /// <summary>Of what the DTLS client sends.</summary>
    public ReadOnlySpan<byte> ClientKey { get; }

    public ReadOnlySpan<byte> ClientSalt { get; }

    /// <summary>Of what the DTLS server sends.</summary>
    public ReadOnlySpan<byte> ServerKey { get; }

    public ReadOnlySpan<byte> ServerSalt { get; }

    /// <summary>The context of what the DTLS client sends.</summary>
    public SrtpContext CreateClientContext() => new(Profile, ClientKey, ClientSalt);

    /// <summary>The context of what the DTLS server sends.</summary>
    public SrtpContext CreateServerContext() => new(Profile, ServerKey, ServerSalt);
}
