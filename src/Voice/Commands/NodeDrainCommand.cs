using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Voice.Commands.Clients;

namespace Voice.Commands;

/// <summary>What an operator says of nodes, to any gateway: `voice node list`, `drain` and `undrain`.</summary>
internal static class NodeDrainCommand
{
    public static Command List()
    {
        var command = new Command("list", "Show the voice nodes, their load and what they do.");
        var operators = new OperatorSettings(command);
        command.SetRun(async (parsed, cancel) =>
        {
            using var http = operators.Read(parsed);
            using var answer = await Ask(() => http.GetAsync("nodes", cancel), "nodes are asked for");
            var nodes = await answer.Content.ReadFromJsonAsync<JsonElement>(cancel);
            Console.WriteLine($"{"NODE",-20} {"REGION",-12} {"ENDPOINT",-28} {"LOAD",5} {"PEOPLE",7} {"GUILDS",7} STATE");
            foreach (var node in nodes.EnumerateArray()) Console.WriteLine(Line(node));
            return 0;
        });
        return command;
    }

    /// <param name="name">drain or undrain.</param>
    public static Command Create(string name, string description)
    {
        var command = new Command(name, description);
        var node = new Argument<string>("node") { Description = "name of the node" };
        command.Arguments.Add(node);
        var operators = new OperatorSettings(command);
        command.SetRun(async (parsed, cancel) =>
        {
            using var http = operators.Read(parsed);
            var id = parsed.GetRequiredValue(node);
            using var answer = await Ask(() => http.PostAsync($"nodes/{Uri.EscapeDataString(id)}/{name}", null, cancel), $"node {id} is to {name}");
            Console.WriteLine(name == "drain" ? $"Node {id} gets no new guilds, and those that it has are on their way." : $"Node {id} gets guilds again.");
            return 0;
        });
        return command;
    }

    private static string Line(JsonElement node)
    {
        string Text(string name) => node.GetProperty(name).ToString();
        var state = node.GetProperty("draining").GetBoolean() ? "draining" : Text("state");
        var load = node.GetProperty("utilisation").GetDouble();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Text("node_id"),-20} {Text("region"),-12} {Text("endpoint"),-28} {load,5:0%} {Text("sessions"),7} {Text("assigned"),7} {state}");
    }

    private static async Task<HttpResponseMessage> Ask(Func<Task<HttpResponseMessage>> request, string what)
    {
        try
        {
            var answer = await request();
            if (answer.IsSuccessStatusCode) return answer;
            using (answer)
            {
                throw new ClientException(answer.StatusCode switch
                {
                    HttpStatusCode.NotFound => $"{what}: the gateway knows no such node",
                    HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => $"{what}: --token must be an administrator's (voice token --admin)",
                    var status => $"{what}: the gateway answers {(int)status}",
                });
            }
        }
        catch (HttpRequestException e)
        {
            throw new ClientException($"{what}: the gateway cannot be reached ({(e.InnerException ?? e).Message})");
        }
        catch (OperationCanceledException e) when (e.InnerException is TimeoutException)
        {
            throw new ClientException($"{what}: the gateway does not answer");
        }
    }

    private sealed class OperatorSettings
    {
        private readonly Option<string> url;
        private readonly Option<string?> token;
        private readonly Option<string?> ca;

        public OperatorSettings(Command command)
        {
            var settings = new Settings(command);
            url = ClientSettings.Url(settings);
            token = settings.OptionalText("token", "an administrator's token, see `voice token --admin`");
            ca = ClientSettings.Ca(settings);
        }

        public HttpClient Read(ParseResult parsed)
        {
            var check = ClientSettings.Trust(parsed.GetValue(ca));
            var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = check } };
            var http = new HttpClient(handler)
            {
                BaseAddress = new Uri(ClientSettings.Server(parsed.GetRequiredValue(url)), "/allocator/v1/"),
                Timeout = TimeSpan.FromSeconds(10),
            };
            if (parsed.GetValue(token) is { } shown) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", shown);
            return http;
        }
    }
}
