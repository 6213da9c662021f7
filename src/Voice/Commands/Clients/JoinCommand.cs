using System.CommandLine;
using Voice.Protocol.Ogg;

namespace Voice.Commands.Clients;

/// <summary>Shows who is in a channel and who speaks, until Ctrl-C.</summary>
internal static class JoinCommand
{
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(100);

    public static Command Create()
    {
        var command = new Command("join", "Join a voice channel and show who is there and who speaks.");
        var settings = new ClientSettings(command);
        command.SetRun((parsed, cancel) => Run(settings.Read(parsed), cancel));
        return command;
    }

    private static async Task<int> Run(ClientRequest request, CancellationToken cancellation)
    {
        await using var session = await ClientSession.OpenAsync(request, cancellation);
        var people = new People();
        await using var voice = await session.JoinAsync(
            request.Voice with
            {
                SelfMute = true,
                OnEvent = people.On,
                OnFrame = (in frame, payload) =>
                {
                    if (frame.User is { } user) people.Heard(user, payload.SequenceEqual(OpusToc.SilenceFrame) ? 0 : frame.Arrival);
                },
            },
            cancellation);

        IPeopleView view = Console.IsOutputRedirected ? new PeopleLines() : new PeopleTable();
        view.Begin($"{session.Place}, over {request.Voice.Transport.Name()}. Ctrl-C leaves.");
        while (!cancellation.IsCancellationRequested && !voice.Completion.IsCompleted)
        {
            view.Show(people.Now(session.NameOf), voice.State);
            await Task.WhenAny(Task.Delay(Refresh, cancellation), voice.Completion);
        }

        if (!cancellation.IsCancellationRequested) await voice.Completion;
        return 0;
    }
}
