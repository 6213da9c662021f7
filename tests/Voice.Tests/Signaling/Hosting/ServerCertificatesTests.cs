using System.Security.Cryptography.X509Certificates;
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
        var first = Open("127.0.0.1", "localhost");
        var second = Open("127.0.0.1");

        Assert.True(first.HasPrivateKey);
        Assert.Equal(first.Thumbprint, second.Thumbprint);
    }

    [Fact]
    public void A_new_name_makes_a_new_leaf_under_the_same_authority()
    {
        var first = Open("localhost");
        var second = Open("voice.example");

        Assert.True(second.MatchesHostname("voice.example"));
        Assert.Equal(first.Issuer, second.Issuer);
    }

    [Fact]
    public void A_leaf_near_its_end_is_remade()
    {
        var first = Open("localhost");
        var second = ServerCertificates.OpenOrCreate(folder, "gateway", ["localhost"], Now.AddDays(370))[0];

        Assert.NotEqual(first.Thumbprint, second.Thumbprint);
    }

    [Fact]
    public void Keys_are_readable_by_their_owner_alone()
    {
        Open("localhost");

        if (OperatingSystem.IsWindows()) return;
        foreach (var key in new[] { "ca.key", "gateway.key" })
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder, key)));
    }

    [Theory]
    [InlineData("ca.key")]
    [InlineData("gateway.key")]
    public void A_damaged_key_is_one_clear_line(string damaged)
    {
        Open("localhost");
        File.WriteAllText(Path.Combine(folder, damaged), "not a key");

        var e = Assert.Throws<StartupException>(() => ServerCertificates.OpenOrCreate(folder, "gateway", ["localhost"], Now));
        Assert.Contains("damaged", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public async Task Two_processes_that_start_together_get_one_authority()
    {
        var leaves = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => ServerCertificates.OpenOrCreate(folder, $"process-{i}", ["localhost"], Now)[0])));

        Assert.Single(leaves.Select(leaf => leaf.Issuer).Distinct());
    }

    [Fact]
    public void An_operators_intermediates_are_shown_with_the_leaf()
    {
        Open("localhost");
        var chain = Path.Combine(folder, "fullchain.pem");
        File.WriteAllText(chain, File.ReadAllText(Path.Combine(folder, "gateway.key")) + File.ReadAllText(Path.Combine(folder, "ca.pem")));

        var loaded = ServerCertificates.Load(chain, null);

        Assert.True(loaded[0].HasPrivateKey);
        Assert.Equal(loaded[0].Issuer, Assert.Single(loaded.Skip(1)).Subject);
    }

    [Fact]
    public void A_missing_certificate_file_is_one_clear_line() =>
        Assert.Contains("missing.pem", Assert.Throws<StartupException>(() => ServerCertificates.Load(Path.Combine(folder, "missing.pem"), null)).Message, StringComparison.Ordinal);

    private X509Certificate2 Open(params string[] names) => ServerCertificates.OpenOrCreate(folder, "gateway", names, Now)[0];
}
