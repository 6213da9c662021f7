using Voice.Load.Drills.People;
using Voice.Load.Results;
using Voice.Protocol;

namespace Voice.Load.Drills;

/// <summary>What the clients' logs say.</summary>
/// <param name="stalls">When nobody talked.</param>
/// <param name="sent">By talkers, and how many of them after their time.</param>
/// <param name="absent">Whom the guilds do not have any more.</param>
/// <param name="end">Nanoseconds: when the talking ended.</param>
internal sealed class Findings(
    Plan plan, DrillOptions options, Scene scene, IReadOnlyList<(long From, long To)> stalls, (long All, long Late) sent, IReadOnlyCollection<Snowflake> absent, long end, double generatorCores)
{
    /// <summary>Media of an old assignment so long after the news is no overlap any more.</summary>
    private const long Overlap = 5_000_000_000;

    /// <summary>Who heard nothing in the last of it is lost.</summary>
    private const long AtTheEnd = 2_000_000_000;

    private const int SecondsBefore = 5;

    /// <summary>Of the packets sent: more, and the machine was too small or not quiet.</summary>
    public const double TooLate = 0.01;

    private readonly long broken = scene.BrokenAt;

    public DrillResult Result()
    {
        var guilds = scene.Crowd.Guilds;
        var concerned = guilds.Where(IsConcerned).ToArray();
        var others = guilds.Except(concerned).ToArray();
        var late = (double)sent.Late / Math.Max(1, sent.All);
        var back = scene.Crowd.People.Select(GatewayBack).OfType<double>().ToArray();
        var moved = concerned.SelectMany(guild => guild.People.Select(person => Moved(guild, person))).ToArray();
        return new(
            plan.Name,
            options.Clients,
            options.Guilds,
            moved.OfType<double>() is var known && known.Any() ? Math.Round(known.Min(), 1) : null,
            Silence.Gap(Silences(concerned, broken, end)),
            scene.Crowd.People.Count(IsLost),
            LostStates(),
            guilds.Count(IsDoubleServed),
            guilds.Count(guild => IsEvicted(guild, concerned)),
            scene.Crowd.Logs.SelectMany(log => log.Audits).Sum(audit => audit.Reused),
            new(
                scene.Cluster.Nodes.Count,
                scene.Cluster.Gateways.Count,
                scene.Crowd.People.Count(person => person.Transport == Client.VoiceTransport.WebRtc),
                guilds.Sum(guild => guild.Stubborn.Length),
                Math.Round((end - broken) / 1e9, 1),
                concerned.Length,
                known.Any() ? Math.Round(known.Max(), 1) : null,
                Clear(concerned),
                others.Length == 0 ? null : Silence.Gap(Silences(others, broken, end), hides: false),
                Silence.Gap(Silences(guilds, broken - SecondsBefore * 1_000_000_000L, broken), hides: false),
                concerned.Sum(guild => guild.Listeners.Sum(Missing)),
                scene.Crowd.People.Sum(person => person.Log.States.Count(state => state.At > broken && state.At < end)),
                scene.Crowd.People.Sum(person => person.Log.Sessions.Count(session => session.At > broken)),
                back.Length == 0 ? null : Silence.Gap(back, hides: false),
                scene.Crowd.Logs.SelectMany(log => log.Audits).Sum(audit => audit.Packets),
                sent.All,
                Math.Round(late, 4),
                Math.Round(stalls.Select(stall => stall.To - stall.From).DefaultIfEmpty().Max() / 1e6, 1),
                Math.Round(generatorCores, 2),
                Notes(late, moved),
                [.. scene.Marks.Select(mark => new DrillMark(Second(mark.At), mark.What))],
                Timeline(),
                ThisMachine.Describe()));
    }

    private bool IsConcerned(CrowdGuild guild) => plan.Concern == Concern.Everybody || guild.NodeAt(broken) == scene.Node.Id;

    private IEnumerable<double> Silences(IEnumerable<CrowdGuild> guilds, long from, long to) =>
        guilds.SelectMany(guild => guild.Listeners).Select(listener => Silence.Longest(listener.Heard.Read(), from, to, stalls));

    /// <summary>Milliseconds until it was told of a new server; null: it was not.</summary>
    private double? Moved(CrowdGuild guild, Person person)
    {
        var before = guild.ToldBefore(broken)?.Epoch ?? 0;
        foreach (var told in person.Log.Told)
        {
            if (told.At > broken && told.Epoch > before) return (told.At - broken) / 1e6;
        }

        return null;
    }

    private bool IsLost(Person person) =>
        person.Failure is not null
        || (!person.Talks && end - person.Heard.Last > AtTheEnd)
        || (plan.KeepsSessions && person.Log.Sessions.Any(session => session.At > broken));

    private int LostStates()
    {
        var left = scene.Crowd.Logs.SelectMany(log => log.Left).Where(left => left.At > broken && left.At < end).Select(left => left.User);
        return left.Concat(absent).Intersect(scene.Crowd.Guilds.SelectMany(guild => guild.Users)).Count();
    }

    /// <summary>Those who follow are served twice by the news; those who do not by when their server could hear of it.</summary>
    private bool IsDoubleServed(CrowdGuild guild) =>
        guild.People.Any(person => IsDoubleServed(person.Log, 0))
        || guild.Stubborn.Any(one => IsDoubleServed(one.Log, plan.Mend is null ? 0 : scene.Marks.Last().At));

    private static bool IsDoubleServed(ClientLog log, long reachable) => log.Sessions.Any(session =>
        log.Told.Where(told => told.Epoch > session.Epoch).Select(told => told.At).DefaultIfEmpty(long.MaxValue - Overlap).Min() is var news
        && Math.Max(news, reachable) + Overlap < session.Wire.Last);

    private bool IsEvicted(CrowdGuild guild, CrowdGuild[] concerned)
    {
        if (plan.Moves && concerned.Contains(guild)) return false;
        var before = guild.ToldBefore(broken)?.Epoch;
        return guild.People.Any(person => person.Log.Told.Any(told => told.At > broken && (told.Epoch is null || told.Epoch > before)));
    }

    /// <summary>Until the last of them heard again, of those who had a gap at all.</summary>
    private double? Clear(CrowdGuild[] concerned)
    {
        var clear = 0L;
        foreach (var listener in concerned.SelectMany(guild => guild.Listeners))
        {
            long? last = null;
            foreach (var packet in listener.Heard.Read())
            {
                if (packet.At > broken && last is { } before && packet.At - before > Talking.Frame + Silence.HiddenMs * 1e6) clear = Math.Max(clear, packet.At - broken);
                last = packet.At;
            }

            if (end - (last ?? 0) > AtTheEnd) return null;
        }

        return Math.Round(clear / 1e6, 1);
    }

    private long Missing(Person listener)
    {
        var (first, last, count) = (0u, 0u, 0L);
        foreach (var packet in listener.Heard.Read())
        {
            if (packet.At < broken) first = Math.Max(first, packet.Number);
            else (last, count) = (Math.Max(last, packet.Number), count + 1);
        }

        return count == 0 ? 0 : Math.Max(0, (long)last - first - count);
    }

    private double? GatewayBack(Person person)
    {
        foreach (var at in person.Log.GatewaySessions)
        {
            if (at > broken) return (at - broken) / 1e6;
        }

        return null;
    }

    private List<string> Notes(double late, double?[] moved)
    {
        var notes = new List<string>();
        if (late > TooLate) notes.Add($"disturbed: the generator sent {late:P1} of its packets late, so gaps are the machine's too");
        if (plan.Moves && moved.Count(one => one is null) is > 0 and var untold) notes.Add($"{untold} clients whose guilds should have moved were told of no new server");
        foreach (var group in scene.Crowd.People.Where(person => person.Failure is not null).GroupBy(person => person.Failure)) notes.Add($"{group.Count()} clients: {group.Key}");
        NonceAudit[] audits = [.. scene.Crowd.Logs.SelectMany(log => log.Audits)];
        notes.AddRange(audits.Select(audit => audit.First).OfType<string>().Take(5));
        var doubled = audits.Sum(audit => audit.Doubled);
        if (doubled > 0) notes.Add($"{doubled} packets came twice");
        return notes;
    }

    private double Second(long at) => Math.Round((at - broken) / 1e9, 2);

    private DrillSecond[] Timeline()
    {
        var seconds = (int)((end - broken) / 1_000_000_000) + SecondsBefore;
        var (heard, silent) = (new int[seconds], new int[seconds]);
        foreach (var listener in scene.Crowd.Guilds.SelectMany(guild => guild.Listeners))
        {
            var last = broken - SecondsBefore * 1_000_000_000L;
            var counted = -1;
            foreach (var packet in listener.Heard.Read())
            {
                if (packet.At < last) continue;
                var second = Bin(packet.At);
                if (second < seconds) heard[second]++;
                Fill(last, packet.At);
                last = packet.At;
            }

            Fill(last, end);

            void Fill(long from, long to)
            {
                if (to - from < Talking.Frame + Silence.HiddenMs * 1e6) return;
                for (var second = Math.Max(Bin(from), counted + 1); second <= Math.Min(Bin(to), seconds - 1); second++) silent[counted = second]++;
            }
        }

        return [.. Enumerable.Range(0, seconds).Select(second => new DrillSecond(second - SecondsBefore, heard[second], silent[second]))];

        int Bin(long at) => (int)((at - broken) / 1_000_000_000.0 + SecondsBefore);
    }
}
