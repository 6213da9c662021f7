using System.IO.Pipelines;

namespace Voice.Protocol.Links;

/// <summary>A stream's two directions as a pipe, for <see cref="LinkConnection{TSend,TReceive}"/>. Closing the stream is the caller's.</summary>
public sealed class StreamPipe(Stream stream) : IDuplexPipe
{
    public PipeReader Input { get; } = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 16 * 1024, leaveOpen: true));

    public PipeWriter Output { get; } = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
}
