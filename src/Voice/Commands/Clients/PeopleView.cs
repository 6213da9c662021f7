using Spectre.Console;
using Voice.Client;
using Voice.Protocol;

namespace Voice.Commands.Clients;

/// <summary>Shows people as they come, speak and go.</summary>
internal interface IPeopleView
{
    void Begin(string title);

    void Show(IReadOnlyList<Person> people, VoiceClientState state);
}

/// <summary>A line for each change, for files and pipes.</summary>
internal sealed class PeopleLines : IPeopleView
{
    private readonly Dictionary<Snowflake, Person> shown = [];
    private VoiceClientState state = VoiceClientState.Connected;

    public void Begin(string title) => Console.WriteLine($"Joined {title}");

    public void Show(IReadOnlyList<Person> people, VoiceClientState state)
    {
        if (this.state != state) Console.WriteLine($"{this.state = state}");
        foreach (var person in people)
        {
            if (!shown.TryGetValue(person.Id, out var before)) Console.WriteLine($"+ {person.Name}");
            if (person.Speaks != (before?.Speaks ?? false)) Console.WriteLine($"  {person.Name} {(person.Speaks ? "speaks" : "is silent")}");
            shown[person.Id] = person;
        }

        foreach (var gone in shown.Values.Where(before => people.All(person => person.Id != before.Id)).ToArray())
        {
            Console.WriteLine($"- {gone.Name}");
            shown.Remove(gone.Id);
        }
    }
}

/// <summary>A table that is drawn anew in its place.</summary>
internal sealed class PeopleTable : IPeopleView
{
    private int lines;

    public void Begin(string title) => AnsiConsole.MarkupLineInterpolated($"[bold]{title}[/]");

    public void Show(IReadOnlyList<Person> people, VoiceClientState state)
    {
        if (lines > 0) AnsiConsole.Cursor.MoveUp(lines);
        lines = people.Count + 2;
        Line($"[grey]{state}, {people.Count} {(people.Count == 1 ? "other" : "others")} here[/]");
        foreach (var person in people)
            Line(person.Speaks ? $"[green]●[/] {person.Name} [grey]{person.Packets} packets[/]" : (FormattableString)$"[grey]○ {person.Name} {person.Packets} packets[/]");
        AnsiConsole.Write(new ControlCode("\e[J")); // clears what a longer list left below
        Line($"");
    }

    private static void Line(FormattableString markup)
    {
        AnsiConsole.Write(new ControlCode("\e[2K"));
        AnsiConsole.MarkupLineInterpolated(markup);
    }
}
