using Voice.Client;
using Voice.Load.Drills.Servers;
using Voice.Load.Generator;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Load.Drills.People;

/// <summary>A guild of the crowd.</summary>
/// <param name="People">The first of them talks.</param>
/// <param name="Stubborn">All of them talk.</param>
internal sealed record CrowdGuild(Snowflake Id, Snowflake Channel, Person[] People, Stubborn[] Stubborn)
{
    public IEnumerable<Snowflake> Users => [.. People.Select(person => person.User), .. Stubborn.Select(one => one.User)];

    public IEnumerable<ClientLog> Logs => [.. People.Select(person => person.Log), .. Stubborn.Select(one => one.Log)];

    public IEnumerable<Person> Listeners => People.Where(person => !person.Talks);

    /// <summary>The latest that one of them was told before a time.</summary>
    public Told? ToldBefore(long at) => People.SelectMany(person => person.Log.Told).Where(told => told.At < at && told.Epoch is not null).MaxBy(told => told.Epoch) is { At: > 0 } told ? told : null;

    public string? NodeAt(long at) => ToldBefore(at)?.Node;
}

/// <summary>Everybody who takes part.</summary>
internal sealed class Crowd : IAsyncDisposable
{
    private const int AtOnce = 16;

    /// <summary>Who was heard less long ago than this is heard.</summary>
    private const long Heard = 300_000_000;

    /// <summary>Number of the first stubborn talker: theirs are nobody's to miss.</summary>
    private const int FirstStubborn = 1_000_000;

    /// <summary>One guild in so many has two of them, who hear each other.</summary>
    private const int StubbornEvery = 10;

    private readonly CrowdGuild[] guilds;

    private Crowd(CrowdGuild[] guilds) => this.guilds = guilds;

    public IReadOnlyList<CrowdGuild> Guilds => guilds;

    public IEnumerable<Person> People => guilds.SelectMany(guild => guild.People);

    public IEnumerable<ClientLog> Logs => guilds.SelectMany(guild => guild.Logs);

    /// <summary>What is said to the crowd carries the guild's number.</summary>
    public IEnumerable<Talker> Talkers => guilds.SelectMany((guild, number) => guild.Stubborn.Select(one => new Talker(FirstStubborn + number, one.Say))
        .Prepend(new Talker(number, opus => guild.People[0].Voice!.SendAsync(opus))));

    public static Payloads Payloads { get; } = Payloads.OfLength(100);

    /// <summary>Makes the guilds, and has everybody join.</summary>
    /// <param name="start">Of the logs, in nanoseconds.</param>
    public static async Task<Crowd> Gather(DrillCluster cluster, DrillOptions options, string? region, long start, Action<string> progress, CancellationToken cancel)
    {
        var guilds = new CrowdGuild[options.Guilds];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel };
        await Parallel.ForAsync(0, guilds.Length, parallel, async (number, stop) => guilds[number] = await Make(cluster, options, number, region, start, stop));

        var crowd = new Crowd(guilds);
        var joined = 0;
        try
        {
            await Parallel.ForEachAsync(crowd.People.Select((person, number) => (person, number)), parallel, async (next, stop) =>
            {
                var guild = guilds[next.person.Guild];
                await next.person.Join(one => cluster.Connect(next.person.User, next.number, one, stop), guild.Id, guild.Channel, stop);
                progress($"{Interlocked.Increment(ref joined)} of {options.Clients} joined");
            });
            await Parallel.ForEachAsync(guilds.SelectMany(guild => guild.Stubborn.Select(one => (one, guild))), parallel, async (next, stop) =>
                await next.one.Join(options => cluster.Connect(next.one.User, 0, options, stop), next.guild.Id, next.guild.Channel, stop));
            return crowd;
        }
        catch (Exception e) when (e is VoiceClosedException or GatewayClosedException or TimeoutException)
        {
            await crowd.DisposeAsync();
            throw new LoadException($"somebody cannot join: {e.Message}", e);
        }
        catch
        {
            await crowd.DisposeAsync();
            throw;
        }
    }

    /// <summary>Listeners who do not hear their talker at the moment.</summary>
    public int Deaf(long now) => guilds.Sum(guild => guild.Listeners.Count(listener => now - listener.Heard.Last > Heard));

    public async ValueTask DisposeAsync()
    {
        IAsyncDisposable[] all = [.. People, .. guilds.SelectMany(guild => guild.Stubborn)];
        await Parallel.ForEachAsync(all, async (one, _) => await one.DisposeAsync());
    }

    /// <summary>One of each row, another in each: talkers and listeners alike.</summary>
    private static bool IsWebRtc(int number, int every) => every > 0 && number % every == number / every % every;

    private static async Task<CrowdGuild> Make(DrillCluster cluster, DrillOptions options, int number, string? region, long start, CancellationToken cancel)
    {
        var people = new Person[options.People];
        for (var i = 0; i < people.Length; i++)
        {
            people[i] = new Person(number, talks: i == 0, IsWebRtc(number * options.People + i, options.WebRtcEvery) ? VoiceTransport.WebRtc : VoiceTransport.Udp, cluster.NewUser(), Payloads, start);
        }

        var owner = cluster.Token(people[0].User);
        var guild = await cluster.Call<Protocol.Gateway.Guild>(HttpMethod.Post, "api/v10/guilds", new { name = $"Drill {number}" }, owner, cancel);
        var channel = await cluster.Call<Channel>(HttpMethod.Post, $"api/v10/guilds/{guild.Id}/channels", new { name = "Voice", type = 2, rtc_region = region }, owner, cancel);
        var isStubborn = number % Math.Clamp(options.Guilds / 3, 1, StubbornEvery) == 0;
        var made = new CrowdGuild(guild.Id, channel.Id, people, isStubborn ? [new(cluster.NewUser(), start), new(cluster.NewUser(), start)] : []);
        foreach (var user in made.Users.Skip(1)) await cluster.Call<Member>(HttpMethod.Put, $"api/v10/guilds/{guild.Id}/members/{user}", new { }, token: null, cancel);
        return made;
    }
}
