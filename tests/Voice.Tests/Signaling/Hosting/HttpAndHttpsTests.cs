using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Voice.Signaling.Hosting;
using Xunit;

namespace Voice.Tests.Signaling.Hosting;

public sealed class HttpAndHttpsTests : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("voice-http").FullName;
    private WebApplication? app;
    private int port;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        var certificate = ServerCertificates.OpenOrCreate(folder, "test", ["127.0.0.1"], DateTimeOffset.UtcNow);
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.UseHttpAndHttps(certificate)));
        app = builder.Build();
        app.MapGet("/", (HttpContext context) => context.Request.Scheme);
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        port = new Uri(address).Port;
    }

    public async ValueTask DisposeAsync()
    {
        await app!.DisposeAsync();
        Directory.Delete(folder, true);
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task One_port_serves_both(string scheme)
    {
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, _, _, _) => true };
        using var http = new HttpClient(handler);

        Assert.Equal(scheme, await http.GetStringAsync($"{scheme}://127.0.0.1:{port}/", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_connection_that_says_nothing_is_closed()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);

        // The end of the stream is the event; the test's own time-out is the bound.
        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken));
    }
}
