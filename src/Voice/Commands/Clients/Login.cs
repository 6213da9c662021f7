using System.Net.Http.Json;
using System.Net.Security;
using System.Text.Json;
using Voice.Client;

namespace Voice.Commands.Clients;

/// <summary>The little of REST that a client needs before its WebSocket.</summary>
internal sealed class Login(Uri gateway, RemoteCertificateValidationCallback? check) : IDisposable
{
    private readonly HttpClient http = new(new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = check } })
    {
        BaseAddress = new Uri(gateway, "/api/v10/"),
        Timeout = TimeSpan.FromSeconds(10),
    };

    /// <summary>A guest's token.</summary>
    /// <exception cref="ClientException">No guests, or no gateway.</exception>
    public async Task<string> AsGuest(string name, CancellationToken cancellation)
    {
        const string What = "log in as a guest (--token names an account)";
        return Text(await Ask(() => http.PostAsJsonAsync("auth/guest", new { username = name }, cancellation), What, cancellation), "token", What);
    }

    /// <summary>The main gateway's WebSocket.</summary>
    public async Task<Uri> GatewayUrl(CancellationToken cancellation)
    {
        const string What = "find the gateway";
        var url = Text(await Ask(() => http.GetAsync("gateway", cancellation), What, cancellation), "url", What);
        return Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme is ("ws" or "wss")
            ? address
            : throw new ClientException($"cannot {What}: {gateway} says it is at '{url}', which is no ws or wss address");
    }

    /// <summary>The regions that can be measured.</summary>
    public async Task<VoiceRegionEcho[]> Regions(string token, CancellationToken cancellation)
    {
        const string What = "ask for the regions";
        var answer = await Ask(
            () =>
            {
                var request = new HttpRequestMessage(HttpMethod.Get, "voice/regions");
                request.Headers.TryAddWithoutValidation("Authorization", token);
                return http.SendAsync(request, cancellation);
            },
            What,
            cancellation);
        return answer.ValueKind != JsonValueKind.Array ? [] : [.. answer.EnumerateArray()
            .Where(region => region.TryGetProperty("echo", out var echo) && echo.ValueKind == JsonValueKind.String)
            .Select(region => new VoiceRegionEcho(Text(region, "id", What), Text(region, "echo", What)))];
    }

    public void Dispose() => http.Dispose();

    private async Task<JsonElement> Ask(Func<Task<HttpResponseMessage>> request, string what, CancellationToken cancellation)
    {
        try
        {
            using var response = await request();
            if (response.IsSuccessStatusCode) return await response.Content.ReadFromJsonAsync<JsonElement>(cancellation);
            var body = await response.Content.ReadAsStringAsync(cancellation);
            throw new ClientException($"cannot {what}: {gateway} answers {(int)response.StatusCode} {Message(body)}");
        }
        catch (HttpRequestException e)
        {
            throw new ClientException($"cannot {what}: {gateway} cannot be reached ({(e.InnerException ?? e).Message})");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ClientException($"cannot {what}: {gateway} does not answer");
        }
        catch (JsonException)
        {
            throw new ClientException($"cannot {what}: what answers at {gateway} is no gateway");
        }
    }

    private string Text(JsonElement answer, string name, string what) =>
        answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new ClientException($"cannot {what}: what answers at {gateway} is no gateway");

    private static string Message(string body)
    {
        try
        {
            return JsonElement.Parse(body).GetProperty("message").GetString() ?? "";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return "";
        }
    }
}
