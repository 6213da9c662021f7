namespace Voice.Load.Simulation;

/// <summary>Who is in voice where: each guild's people come and go one by one, so that a guild is placed when the first one comes, and how many it will be
/// nobody knows. Between calls a guild is idle. What a guild draws in the evening has a heavy tail.</summary>
internal sealed class Traffic
{
    /// <summary>Virtual seconds; what happens within one happens at once.</summary>
    public const int StepSeconds = 5;

    /// <summary>P(more than x) falls with x to this power: twice as many people, a fourth of the guilds.</summary>
    private const double TailExponent = 2;

    private const double LeastDraw = 1.5;

    /// <summary>No guild draws more: then it is a stage, and needs a node of its own.</summary>
    private const double MostDraw = 1000;

    private const double StaySeconds = 3600;
    private const double IdleSeconds = 2 * 3600;
    private const int Horizon = 4 * 3600 / StepSeconds;

    private readonly Random random;
    private readonly byte[] regions;
    private readonly float[] draws;
    private readonly ushort[] people;
    private readonly List<int>[] calendar = [.. Enumerable.Range(0, Horizon).Select(_ => new List<int>())];
    private readonly double[] activity;
    private int step;

    public Traffic(World world, int guilds, Random random)
    {
        this.random = random;
        (regions, draws, people) = (new byte[guilds], new float[guilds], new ushort[guilds]);
        activity = [.. world.Regions.Select(_ => 1.0)];
        for (var guild = 0; guild < guilds; guild++)
        {
            regions[guild] = (byte)world.Draw(random);
            draws[guild] = (float)Math.Min(MostDraw, LeastDraw * Math.Pow(1 - random.NextDouble(), -1 / TailExponent));
            Schedule(guild);
        }
    }

    public int Guilds => people.Length;

    /// <summary>In voice, by guild.</summary>
    public ReadOnlySpan<ushort> People => people;

    public int RegionOf(int guild) => regions[guild];

    /// <summary>How much people do now, by region: 1 in the evening.</summary>
    public void SetActivity(int region, double share) => activity[region] = share;

    /// <summary>Everything that happens in the next <see cref="StepSeconds"/>.</summary>
    /// <param name="changed">Guild, people before, people after: one more or one less.</param>
    public void Step(Action<int, int, int> changed)
    {
        var due = calendar[step % Horizon];
        // What is scheduled meanwhile is for later steps: the list does not grow.
        foreach (var noted in due)
        {
            var guild = noted < 0 ? ~noted : noted;
            if (noted >= 0)
            {
                var before = people[guild];
                var (come, go) = Rates(guild);
                people[guild] = (ushort)(random.NextDouble() * (come + go) < come ? before + 1 : before - 1);
                changed(guild, before, people[guild]);
            }

            Schedule(guild);
        }

        due.Clear();
        step++;
    }

    /// <summary>After an exponential time. What is later than can be noted is drawn anew then: such a time has no memory.</summary>
    private void Schedule(int guild)
    {
        var (come, go) = Rates(guild);
        var steps = -Math.Log(1 - random.NextDouble()) / (come + go) / StepSeconds;
        var isNoted = steps < Horizon;
        calendar[(step + (isNoted ? Math.Max(1, (int)steps) : Horizon - 1)) % Horizon].Add(isNoted ? guild : ~guild);
    }

    /// <summary>Of one more and of one less, a second.</summary>
    private (double Come, double Go) Rates(int guild)
    {
        var share = activity[regions[guild]];
        return people[guild] == 0
            ? (share * Math.Max(1 / IdleSeconds, draws[guild] / StaySeconds / 10), 0)
            : (share * draws[guild] / StaySeconds, people[guild] / StaySeconds);
    }
}
