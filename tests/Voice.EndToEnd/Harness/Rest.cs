using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Xunit;

namespace Voice.EndToEnd.Harness;

/// <summary>What tests ask of a gateway over REST.</summary>
internal static class Rest
{
    /// <summary>Whatever its certificate: those are checked where clients and bots are.</summary>
    public static HttpClient Open(Uri server, string token)
    {
        var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        var http = new HttpClient(handler) { BaseAddress = server };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return http;
    }

    public static async Task<Snowflake> CreateGuild(this HttpClient http, string name) => (await http.Post<Guild>("guilds", new { name })).Id;

    public static async Task<Snowflake> CreateVoiceChannel(this HttpClient http, Snowflake guild, string name) =>
        (await http.Post<Channel>($"guilds/{guild}/channels", new { name, type = 2 })).Id;

    public static async Task AddMember(this HttpClient administrator, Snowflake guild, Snowflake user, object? about = null) =>
        await Succeeds(await administrator.PutAsJsonAsync($"api/v10/guilds/{guild}/members/{user}", about ?? new { }));

    public static async Task<NodeView[]> Nodes(this HttpClient administrator)
    {
        var json = await administrator.GetFromJsonAsync<JsonElement>("allocator/v1/nodes");
        return [.. json.EnumerateArray().Select(n => new NodeView(
            n.GetProperty("node_id").GetString()!, n.GetProperty("usable").GetBoolean(), n.GetProperty("endpoint").GetString()!, n.GetProperty("state").GetString()!))];
    }

    /// <param name="path">Below api/v10.</param>
    public static async Task<T> Post<T>(this HttpClient http, string path, object body) =>
        (T)JsonSerializer.Deserialize(await Succeeds(await http.PostAsJsonAsync($"api/v10/{path}", body)), typeof(T), GatewayJson.Default)!;

    /// <returns>The body.</returns>
    public static async Task<string> Succeeds(HttpResponseMessage response)
    {
        using (response)
        {
            var text = await response.Content.ReadAsStringAsync();
            Assert.True(response.IsSuccessStatusCode, $"{response.RequestMessage!.Method} {response.RequestMessage.RequestUri}: {response.StatusCode} {text}");
            return text;
        }
    }
}

public sealed record NodeView(string Id, bool Usable, string Endpoint, string State);
