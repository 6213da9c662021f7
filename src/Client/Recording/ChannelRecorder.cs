using System.Buffers;
using System.Security.Cryptography;
using Voice.Protocol;

namespace Voice.Client.Recording;

/// <summary>One file of a recording.</summary>
public sealed record RecordedFile(Snowflake Speaker, string Path, TimeSpan Duration, long Packets);

/// <summary>Writes what each participant says into an Ogg Opus file of its own, from their first word on. Files that are there already
/// stay: the next has a number. One thread at a time.</summary>
/// <param name="folder">Made if it is not there.</param>
/// <param name="nameOf">For the files' names.</param>
public sealed class ChannelRecorder(string folder, Func<Snowflake, string> nameOf, TimeProvider? time = null) : IAsyncDisposable
{
    /// <summary>Frames kept of a stream that the server has not said whose it is: 5 s.</summary>
    private const int MaxUnknown = 250;

    private readonly long frequency = (time ?? TimeProvider.System).TimestampFrequency;
    private readonly Dictionary<Snowflake, Track> tracks = [];
    private readonly Dictionary<uint, List<ReceivedFrame>> unknown = [];

    public IReadOnlyCollection<RecordedFile> Files =>
        [.. tracks.Select(track => new RecordedFile(track.Key, track.Value.Path, track.Value.Recording.Duration, track.Value.Recording.Packets))];

    /// <exception cref="IOException">A file cannot be written.</exception>
    public async ValueTask TakeAsync(ReceivedFrame frame)
    {
        if (frame.User is not { } user)
        {
            if (!unknown.TryGetValue(frame.Ssrc, out var waiting)) unknown.Add(frame.Ssrc, waiting = []);
            if (waiting.Count < MaxUnknown) waiting.Add(frame);
            return;
        }

        if (!tracks.TryGetValue(user, out var track)) tracks.Add(user, track = Open(user));
        if (unknown.Remove(frame.Ssrc, out var before))
        {
            foreach (var early in before) track.Recording.Take(early);
        }

        track.Recording.Take(frame);
        await track.FlushAsync();
    }

    /// <summary>Ends every file as a whole one.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var track in tracks.Values) await track.DisposeAsync();
    }

    private Track Open(Snowflake user)
    {
        Directory.CreateDirectory(folder);
        var name = nameOf(user);
        return new Track(Create(Path.Combine(folder, $"{FileName(name)}-{user}")), name, frequency);
    }

    private static FileStream Create(string path)
    {
        for (var number = 1; ; number++)
        {
            var file = number == 1 ? $"{path}.opus" : $"{path}-{number}.opus";
            try
            {
                return new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            }
            catch (IOException) when (File.Exists(file))
            {
                // Of an earlier recording.
            }
        }
    }

    /// <summary>Names are strangers' text: letters, digits and little else.</summary>
    private static string FileName(string name) => string.Concat(name.Where(c => char.IsLetterOrDigit(c) || c is '-' or '_')) is { Length: > 0 } safe ? safe : "user";

    private sealed class Track(FileStream file, string speaker, long frequency) : IAsyncDisposable
    {
        private readonly ArrayBufferWriter<byte> pages = new(16 * 1024);
        private SpeakerRecording? recording;

        public string Path => file.Name;

        public SpeakerRecording Recording => recording ??= new(pages, BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(4)), speaker, frequency);

        public async ValueTask FlushAsync()
        {
            if (pages.WrittenCount == 0) return;
            await file.WriteAsync(pages.WrittenMemory);
            pages.ResetWrittenCount();
        }

        public async ValueTask DisposeAsync()
        {
            Recording.Finish();
            await FlushAsync();
            await file.DisposeAsync();
        }
    }
}
