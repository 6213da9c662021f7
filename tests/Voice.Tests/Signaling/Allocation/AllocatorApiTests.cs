using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Voice.Protocol.Links;
using Voice.Signaling;
using Voice.Signaling.Gateway;
using Voice.Signaling.VoiceServer;
using Xunit;

namespace Voice.Tests.Signaling.Allocation;

/// <summary>A gateway as it is started, driven over HTTP as another chat gateway would, with a node on a real link.</summary>
public sealed class AllocatorApiTests : IAsyncLifetime
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("voice-api-");
    private readonly HttpClient http = new();
    private readonly CancellationTokenSource stop = new();
    private readonly List<Task> links = [];
    private GatewayHost gateway = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        gateway = await GatewayHost.StartAsync(new GatewayOptions { DataDirectory = folder.FullName, Port = 0, LinkPort = 0 });
        http.BaseAddress = new Uri($"http://127.0.0.1:{gateway.Port}/allocator/v1/");
        Authorize(administrator: true);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(links);
        await gateway.DisposeAsync();
        http.Dispose();
        stop.Dispose();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Another_gateways_guild_is_served_from_waiting_to_release()
    {
        using var events = await Events.Open(http);
        using (var early = await Put("7777", """{"voice_states":[{"user_id":"1","channel_id":2,"session_id":"one"}]}"""))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, early.StatusCode);
            Assert.NotNull(early.Headers.RetryAfter);
        }

        StartNode("node-1", ClusterSecret.Open(folder.FullName));
        var assigned = await events.Next("assigned");
        Assert.Equal(("7777", "node-1", "node-1.example:2048"), (Text(assigned, "guild_id"), Text(assigned, "node_id"), Text(assigned, "endpoint")));

        const string states = """
            {"region":"local","voice_states":[{"user_id":"1","channel_id":"2","session_id":"one"},{"user_id":"3","channel_id":"2","session_id":"three","self_mute":true}]}
            """;
        var answer = await Json(await Put("7777", states));
        var again = await Json(await Put("7777", states));
        Assert.Equal(assigned.GetProperty("epoch").GetInt64(), answer.GetProperty("epoch").GetInt64());
        Assert.Equal(answer.GetProperty("epoch").GetInt64(), again.GetProperty("epoch").GetInt64());
        Assert.True(new VoiceTokenKey(ClusterSecret.Open(folder.FullName)).TryRead(
            Text(answer.GetProperty("tokens"), "three"), DateTimeOffset.UtcNow, out var token));
        Assert.Equal(new VoiceToken(7777, 2, 3, "three", "node-1", token.Epoch, ""), token);

        var node = Assert.Single((await Json(await http.GetAsync(Relative("nodes"), Cancel))).EnumerateArray());
        Assert.Equal((1, true), (node.GetProperty("assigned").GetInt32(), node.GetProperty("usable").GetBoolean()));

        Assert.Equal(HttpStatusCode.NoContent, (await http.DeleteAsync(Relative("assignments/7777"), Cancel)).StatusCode);
        Assert.Equal("7777", Text(await events.Next("released"), "guild_id"));
        Assert.Equal(HttpStatusCode.NotFound, (await http.DeleteAsync(Relative("assignments/7777"), Cancel)).StatusCode);
    }

    [Fact]
    public async Task Only_an_administrator_gets_in()
    {
        http.DefaultRequestHeaders.Authorization = null;
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync(Relative("nodes"), Cancel)).StatusCode);
        Authorize(administrator: false);
        Assert.Equal(HttpStatusCode.Forbidden, (await http.GetAsync(Relative("nodes"), Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await Put("1", "{}")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await http.GetAsync(Relative("events"), Cancel)).StatusCode);
    }

    [Fact]
    public async Task Our_own_guild_is_not_theirs_to_hold() =>
        Assert.Equal(HttpStatusCode.Conflict, (await Put(DefaultGuild.Id.ToString(), "{}")).StatusCode);

    [Theory]
    [InlineData("guild", "{}")]
    [InlineData("1", "[]")]
    [InlineData("1", "{")]
    [InlineData("1", """{"region":""}""")]
    [InlineData("1", """{"voice_states":[{"user_id":"x","channel_id":"1","session_id":"a"}]}""")]
    [InlineData("1", """{"voice_states":[{"user_id":"1","channel_id":"1","session_id":""}]}""")]
    [InlineData("1", """{"voice_states":[{"user_id":"1","channel_id":"1"}]}""")]
    [InlineData("1", """{"voice_states":[null]}""")]
    [InlineData("1", """{"voice_states":[{"user_id":"1","channel_id":"1","session_id":"a"},{"user_id":"1","channel_id":"1","session_id":"b"}]}""")]
    public async Task Nonsense_is_a_bad_request(string guild, string body) =>
        Assert.Equal(HttpStatusCode.BadRequest, (await Put(guild, body)).StatusCode);

    [Fact]
    public async Task The_api_is_described()
    {
        var document = await Json(await http.GetAsync(new Uri($"http://127.0.0.1:{gateway.Port}/openapi/v1.json"), Cancel));
        var paths = document.GetProperty("paths");
        var put = paths.GetProperty("/allocator/v1/assignments/{guild}").GetProperty("put");
        Assert.Equal("PutAssignment", Text(put, "operationId"));
        Assert.Superset(
            new HashSet<string> { "200", "400", "401", "403", "409", "503" },
            put.GetProperty("responses").EnumerateObject().Select(response => response.Name).ToHashSet());
        Assert.True(paths.TryGetProperty("/allocator/v1/events", out _));
        Assert.True(paths.TryGetProperty("/allocator/v1/nodes", out _));
    }

    [Fact]
    public async Task Over_tls_a_node_with_another_secret_never_arrives_and_one_with_ours_does()
    {
        StartNode("stranger", "another cluster's whole secret"u8.ToArray());
        StartNode("friend", ClusterSecret.Open(folder.FullName));
        using var events = await Events.Open(http);
        using (await Put("1", "{}"))
        {
            // Assigned at once, or as soon as the node is there.
            Assert.Equal("friend", Text(await events.Next("assigned"), "node_id"));
        }

        Assert.Single((await Json(await http.GetAsync(Relative("nodes"), Cancel))).EnumerateArray());
    }

    private void StartNode(string id, byte[] secret)
    {
        NodeLinkClient client = null!;
        var profile = new NodeProfile(id, Guid.NewGuid().ToString("N"), "local", $"{id}.example:2048", secret);
        client = new NodeLinkClient(new DnsEndPoint("127.0.0.1", gateway.LinkPort), profile, Received, NullLogger.Instance, TimeProvider.System);
        links.Add(client.RunAsync(stop.Token));

        ValueTask Received(GatewayLinkMessage? message)
        {
            if (message is null) client.TrySend(new NodeReport(0, 0, 0, 0, 0, true, []));
            else if (message is GuildUpdate update) client.TrySend(new GuildAck(update.Guild, update.Slot, update.Epoch, update.Revision, false));
            return default;
        }
    }

    private void Authorize(bool administrator)
    {
        var token = AccountTokens.Open(folder.FullName).Mint(5, TimeSpan.FromHours(1), administrator);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    private async Task<HttpResponseMessage> Put(string guild, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await http.PutAsync(Relative($"assignments/{guild}"), content, Cancel);
    }

    private static async Task<JsonElement> Json(HttpResponseMessage response)
    {
        using (response)
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        }
    }

    private static Uri Relative(string path) => new(path, UriKind.Relative);

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    /// <summary>A reader of the event stream.</summary>
    private sealed class Events(Stream stream) : IDisposable
    {
        private readonly IAsyncEnumerator<System.Net.ServerSentEvents.SseItem<string>> items =
            System.Net.ServerSentEvents.SseParser.Create(stream).EnumerateAsync(Cancel).GetAsyncEnumerator();

        /// <summary>When it returns, nothing later is missed.</summary>
        public static async Task<Events> Open(HttpClient http)
        {
            var events = new Events(await http.GetStreamAsync(Relative("events"), Cancel));
            await events.items.MoveNextAsync();
            Assert.Equal("ping", events.items.Current.EventType);
            return events;
        }

        public async Task<JsonElement> Next(string type)
        {
            while (await items.MoveNextAsync())
            {
                if (items.Current.EventType == type) return JsonDocument.Parse(items.Current.Data).RootElement;
            }

            throw new InvalidOperationException("the stream ended");
        }

        public void Dispose() => stream.Dispose();
    }
}
