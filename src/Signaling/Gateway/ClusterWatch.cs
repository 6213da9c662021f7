using Microsoft.Extensions.Hosting;
using Voice.Signaling.Gateway.Guilds;

namespace Voice.Signaling.Gateway;

/// <summary>Lets the sessions here find their guilds again when another gateway process is gone.</summary>
internal sealed class ClusterWatch(GatewayProcesses processes, GatewaySessions sessions) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var _ in processes.Losses(stoppingToken)) await sessions.ProcessLost(stoppingToken);
    }
}
