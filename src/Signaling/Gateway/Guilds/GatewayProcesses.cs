namespace Voice.Signaling.Gateway.Guilds;

/// <summary>The gateway processes of the cluster, as this one sees them: each is a silo, and named by its address and when it started.</summary>
public sealed class GatewayProcesses(ILocalSiloDetails self, IClusterMembershipService members)
{
    /// <summary>This one.</summary>
    public string Own => self.SiloAddress.ToParsableString();

    public bool IsAlive(string gateway) =>
        members.CurrentSnapshot.GetSiloStatus(SiloAddress.FromParsableString(gateway)) is not (SiloStatus.None or SiloStatus.Dead);

    /// <summary>Goes on each time that one has left or died.</summary>
    public async IAsyncEnumerable<ClusterMembershipSnapshot> Losses([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var before = members.CurrentSnapshot;
        await foreach (var now in members.MembershipUpdates.WithCancellation(cancel))
        {
            var lost = before.Members.Keys.Any(silo => before.GetSiloStatus(silo) != SiloStatus.Dead && now.GetSiloStatus(silo) == SiloStatus.Dead);
            before = now;
            if (lost) yield return now;
        }
    }
}
