using Voice.Signaling;
using Voice.Signaling.Hosting;
using Xunit;

namespace Voice.Tests.Signaling.Hosting;

public sealed class ServerCertificatesTests : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;
    private readonly string folder = Directory.CreateTempSubdirectory("voice-cert").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public void A_restart_serves_the_same_certificate()
    {
        using var first = ServerCertificates.OpenOrCreate(folder, "gateway", ["127.0.0.1", "localhost"], Now);
        using var second = ServerCertificates.OpenOrCreate(folder, "gateway", ["127.0.0.1"], Now);

        Assert.True(first.HasPrivateKey);
        Assert.Equal(first.Thumbprint, second.Thumbprint);
    }

    [Fact]
    public void A_new_name_makes_a_new_leaf_under_the_same_authority()
    {
        using var first = ServerCertificates.OpenOrCreate(folder, "gateway", ["localhost"], Now);
        using var second = ServerCertificates.OpenOrCreate(folder, "gateway", ["voice.example"], Now);

        Assert.True(second.MatchesHostname("voice.example"));
        Assert.Equal(first.Issuer, second.Issuer);
    }

    [Fact]
    public void A_leaf_near_its_end_is_remade()
    {
        using var first = ServerCertificates.OpenOrCreate(folder, "gateway", ["localhost"], Now);
        using var second = ServerCertificates.OpenOrCreate(folder, "gateway", ["localhost"], Now.AddDays(370));

        Assert.NotEqual(first.Thumbprint, second.Thumbprint);
    }

    [Fact]
    public void Keys_are_readable_by_their_owner_alone()
    {
        ServerCertificates.OpenOrCreate(folder, "gateway", ["localhost"], Now).Dispose();

        if (OperatingSystem.IsWindows()) return;
        foreach (var key in new[] { "ca.key", "gateway.key" })
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder, key)));
    }

    [Theory]
    [InlineData("ca.key")]
    [InlineData("gateway.key")]
    public void A_damaged_key_is_one_clear_line(string damaged)
    {
        ServerCertificates.OpenOrCreate(folder, "gateway", ["localhost"], Now).Dispose();
        File.WriteAllText(Path.Combine(folder, damaged), "not a key");

        var e = Assert.Throws<StartupException>(() => ServerCertificates.OpenOrCreate(folder, "gateway", ["localhost"], Now));
        Assert.Contains("damaged", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void A_missing_certificate_file_is_one_clear_line() =>
        Assert.Contains("missing.pem", Assert.Throws<StartupException>(() => ServerCertificates.Load(Path.Combine(folder, "missing.pem"), null)).Message, StringComparison.Ordinal);
}
