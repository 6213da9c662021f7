using System.CommandLine;
using Voice.Client.Recording;

namespace Voice.Commands.Clients;

/// <summary>Records a channel, one Ogg Opus file for each speaker.</summary>
internal static class RecordCommand
{
    public static Command Create()
    {
        var command = new Command("record", "Record a voice channel: one Ogg Opus file for each speaker.");
        var settings = new ClientSettings(command);
        var folder = new Option<string>("--output", "-o") { Description = "folder for the files", Required = true };
        command.Options.Add(folder);
        var seconds = settings.Settings.Number("seconds", "how long; 0 until Ctrl-C", 0, 0, 7 * 24 * 3600);
        command.SetRun((parsed, cancel) => Run(settings.Read(parsed), parsed.GetRequiredValue(folder), TimeSpan.FromSeconds(parsed.GetValue(seconds)), cancel));
        return command;
    }

    private static async Task<int> Run(ClientRequest request, string folder, TimeSpan length, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        await using var session = await ClientSession.OpenAsync(request, cancellation);
        await using var voice = await session.JoinAsync(request.Voice with { SelfMute = true, ReceiveQueueLength = 50_000 }, cancellation);
        var recorder = new ChannelRecorder(folder, session.NameOf);
        Console.WriteLine($"Recording {session.Place} into {folder}{(length > TimeSpan.Zero ? $" for {length.TotalSeconds:0} s" : "")}. Ctrl-C ends.");

        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (length > TimeSpan.Zero) end.CancelAfter(length);
        try
        {
            await foreach (var frame in voice.ReadFramesAsync(end.Token)) await recorder.TakeAsync(frame);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The recording is as long as it should be.
        }
        finally
        {
            await recorder.DisposeAsync();
            foreach (var file in recorder.Files) Console.WriteLine($"{file.Path}: {file.Duration:h\\:mm\\:ss\\.f}, {file.Packets} packets");
        }

        if (voice.DroppedFrames > 0) await ClientCommand.Error($"{voice.DroppedFrames} packets were dropped: the folder was too slow");
        return 0;
    }
}
