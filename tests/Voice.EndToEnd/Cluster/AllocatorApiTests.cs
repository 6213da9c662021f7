using System.Diagnostics;
using System.Text.Json;
using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Cluster;

/// <summary>The allocator API as another chat gateway would use it: with curl.</summary>
public sealed class AllocatorApiTests(ClusterFixture cluster) : IClassFixture<ClusterFixture>
{
    private const string Guild = "4242424242424242";
    private const string States = """
        {"voice_states":[{"user_id":"77","channel_id":"88","session_id":"0123456789abcdef0123456789abcdef"}]}
        """;

    [Fact]
    public async Task A_foreign_gateway_assigns_watches_and_releases()
    {
        await cluster.StartNode("node-a");
        var path = $"allocator/v1/assignments/{Guild}";
        using var events = Start("-N", "-s", "allocator/v1/events");
        Assert.Equal("ping", await NextEvent(events)); // from here on nothing is missed

        var (status, body) = await Curl("-X", "PUT", "-H", "Content-Type: application/json", "-d", States, path);
        Assert.Equal(200, status);
        var assignment = JsonDocument.Parse(body).RootElement;
        Assert.Equal((await cluster.Administrator.Nodes()).Single().Endpoint, assignment.GetProperty("endpoint").GetString());
        Assert.True(assignment.GetProperty("tokens").GetProperty("0123456789abcdef0123456789abcdef").GetString()!.Length > 16);

        var again = JsonDocument.Parse((await Curl("-X", "PUT", "-H", "Content-Type: application/json", "-d", States, path)).Body).RootElement;
        Assert.Equal(assignment.GetProperty("epoch").GetInt64(), again.GetProperty("epoch").GetInt64());

        Assert.Equal(204, (await Curl("-X", "DELETE", path)).Status);

        Assert.Equal("assigned", await NextEvent(events, but: "ping"));
        Assert.Equal("released", await NextEvent(events, but: "ping"));
        events.Kill();
    }

    [Theory]
    [InlineData("allocator/v1/nodes")]
    [InlineData("allocator/v1/events")]
    public async Task A_stranger_is_refused(string path) =>
        Assert.Equal(401, (await Run("-s", "-w", "\n%{http_code}", new Uri(cluster.Gateway.Address, path).ToString())).Status);

    [Fact]
    public async Task A_person_who_is_no_administrator_is_refused() =>
        Assert.Equal(403, (await Run(
            "-s", "-w", "\n%{http_code}", "-H", "Authorization: Bearer " + cluster.Token(Accounts.NewUser()),
            new Uri(cluster.Gateway.Address, "allocator/v1/nodes").ToString())).Status);

    [Fact]
    public async Task The_OpenAPI_document_describes_it()
    {
        var (status, body) = await Curl("openapi/v1.json");
        Assert.Equal(200, status);
        var paths = JsonDocument.Parse(body).RootElement.GetProperty("paths");
        Assert.True(paths.TryGetProperty("/allocator/v1/assignments/{guild}", out var assignments));
        Assert.True(assignments.TryGetProperty("put", out _) && assignments.TryGetProperty("delete", out _));
        Assert.True(paths.TryGetProperty("/allocator/v1/nodes", out _));
    }

    private Task<(int Status, string Body)> Curl(params string[] arguments) =>
        Run(["-s", "-w", "\n%{http_code}", .. Authorized(arguments)]);

    private static async Task<(int Status, string Body)> Run(params string[] arguments)
    {
        using var curl = Process.Start(new ProcessStartInfo("curl", ["--max-time", "20", .. arguments]) { RedirectStandardOutput = true })!;
        var output = await curl.StandardOutput.ReadToEndAsync();
        await curl.WaitForExitAsync();
        var end = output.LastIndexOf('\n');
        return (int.Parse(output[(end + 1)..], System.Globalization.CultureInfo.InvariantCulture), output[..Math.Max(end, 0)]);
    }

    private Process Start(params string[] arguments) =>
        Process.Start(new ProcessStartInfo("curl", ["--max-time", "60", .. Authorized(arguments)]) { RedirectStandardOutput = true })!;

    private string[] Authorized(string[] arguments) =>
        ["-H", "Authorization: Bearer " + cluster.AdministratorToken, .. arguments[..^1], new Uri(cluster.Gateway.Address, arguments[^1]).ToString()];

    private static async Task<string?> NextEvent(Process events, string? but = null)
    {
        const string field = "event: ";
        while (await events.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.StartsWith(field, StringComparison.Ordinal) && line[field.Length..] != but) return line[field.Length..];
        }

        return null;
    }
}
