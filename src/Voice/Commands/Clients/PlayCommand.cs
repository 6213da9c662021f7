using System.CommandLine;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Voice.Client;
using Voice.Protocol.Ogg;

namespace Voice.Commands.Clients;

/// <summary>Plays Ogg Opus files into a channel, one after the other.</summary>
internal static class PlayCommand
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(500);

    public static Command Create()
    {
        var command = new Command("play", "Play Ogg Opus files into a voice channel, as they are: nothing is encoded.");
        var settings = new ClientSettings(command);
        var files = new Argument<string[]>("files") { Description = "Ogg Opus files", Arity = ArgumentArity.OneOrMore };
        command.Arguments.Add(files);
        command.SetRun((parsed, cancel) => Run(settings.Read(parsed), parsed.GetRequiredValue(files), cancel));
        return command;
    }

    private static async Task<int> Run(ClientRequest request, string[] files, CancellationToken cancellation)
    {
        if (files.FirstOrDefault(file => !File.Exists(file)) is { } missing) throw new ClientException($"there is no file {missing}");
        await using var session = await ClientSession.OpenAsync(request, cancellation);
        await using var voice = await session.JoinAsync(request.Voice with { SelfDeaf = true }, cancellation);
        Console.WriteLine($"Playing in {session.Place}, over {request.Voice.Transport.Name()}.");

        var playlist = new Playlist(files);
        var playing = OpusPlayer.PlayAsync(voice, playlist.ReadAsync(cancellation), playlist.Played, cancellation: cancellation);
        try
        {
            await await Task.WhenAny(playing, voice.Completion);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await voice.PauseAsync(CancellationToken.None);
        }

        playlist.EndLine();
        return playlist.Faults == 0 ? 0 : 1;
    }

    /// <summary>Files as one stream, with the progress shown. A damaged one is played as far as it goes and named.</summary>
    private sealed class Playlist(string[] files)
    {
        private readonly bool live = !Console.IsOutputRedirected;
        private string current = "";
        private TimeSpan before;
        private TimeSpan total;
        private long shown;

        public int Faults { get; private set; }

        public async IAsyncEnumerable<OpusPacket> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
        {
            foreach (var file in files)
            {
                (current, before) = (Path.GetFileName(file), total);
                if (!live) Console.WriteLine(current);
                await using var stream = File.OpenRead(file);
                await using var packets = OpusFile.ReadAsync(stream, file, cancellation).GetAsyncEnumerator(cancellation);
                while (await MoveNext(packets))
                {
                    var length = packets.Current.Data.Length;
                    if (length > VoiceClient.MaxPacketLength)
                        throw new ClientException($"{file}: a packet of {length} bytes, and {VoiceClient.MaxPacketLength} can be sent: encode it with frames of 20 ms");
                    yield return packets.Current;
                }

                EndLine();
            }
        }

        public void Played(TimeSpan played)
        {
            total = played;
            if (!live || Stopwatch.GetElapsedTime(shown) < ProgressInterval) return;
            shown = Stopwatch.GetTimestamp();
            Show();
        }

        public void EndLine()
        {
            if (!live || current.Length == 0) return;
            Show();
            Console.WriteLine();
            current = "";
        }

        private void Show() => Console.Write($"\r{current} {total - before:m\\:ss\\.f}");

        private async ValueTask<bool> MoveNext(IAsyncEnumerator<OpusPacket> packets)
        {
            try
            {
                return await packets.MoveNextAsync();
            }
            catch (OpusFileException e)
            {
                EndLine();
                await ClientCommand.Error(e.Message);
                Faults++;
                return false;
            }
        }
    }
}
