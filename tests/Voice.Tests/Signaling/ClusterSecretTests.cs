using System.Text;
using Voice.Signaling;
using Xunit;

namespace Voice.Tests.Signaling;

public sealed class ClusterSecretTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("voice-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public void Is_the_same_at_each_start_and_for_all_who_start_at_once()
    {
        var all = Enumerable.Range(0, 4).AsParallel().WithDegreeOfParallelism(4).Select(_ => Convert.ToHexString(ClusterSecret.Open(_data))).Distinct();

        Assert.Equal(Convert.ToHexString(ClusterSecret.Open(_data)), Assert.Single(all));
        Assert.Single(Directory.GetFiles(_data));
    }

    [Fact]
    public void Is_readable_by_its_owner_only()
    {
        ClusterSecret.Open(_data);

        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Directory.GetFiles(_data)[0]));
    }

    [Fact]
    public void A_given_one_overrides_and_is_not_stored()
    {
        Assert.Equal("0123456789abcdef", Encoding.UTF8.GetString(ClusterSecret.Open(_data, "0123456789abcdef\n")));
        Assert.Empty(Directory.GetFiles(_data));
    }

    [Fact]
    public void A_short_one_is_refused() =>
        Assert.DoesNotContain('\n', Assert.Throws<StartupException>(() => ClusterSecret.Open(_data, "short")).Message);

    [Fact]
    public void A_data_folder_that_can_not_be_made_is_one_line()
    {
        var file = Path.Combine(_data, "file");
        File.WriteAllText(file, "");

        var refusal = Assert.Throws<StartupException>(() => ClusterSecret.Open(Path.Combine(file, "below")));

        Assert.Contains(file, refusal.Message);
        Assert.DoesNotContain('\n', refusal.Message);
    }
}
